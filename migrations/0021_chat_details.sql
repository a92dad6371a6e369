-- +goose Up

-- What a chat is about; without a row it has neither description nor data. A table of its own: every batch of messages writes the chat's row anew, and
-- must not carry this along.
create table chat_details (
  chat_id uuid primary key,
  description text not null,
  data jsonb not null -- an object
);

-- An update of a chat takes one number for two rows: the system message, and a change of the kind chat_updated with message_seq = seq, if the caller has
-- given a client_change_id. Changes of messages and updates of chats share that index: an id is recognised, whatever it was used for.
comment on column changes.kind is 'edited, deleted; chat_updated: of no message, it only keeps the client_change_id of the system message with this number';

-- +goose Down
delete from changes where kind = 'chat_updated';
comment on column changes.kind is null;
drop table chat_details;
