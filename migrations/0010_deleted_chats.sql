-- +goose Up

-- Chats that are gone, but whose messages are not yet all removed: to delete millions in one transaction would make others wait. Nobody finds
-- messages without their chat.
create table deleted_chats (
  id uuid primary key,
  deleted_at timestamptz not null default clock_timestamp()
);

-- +goose Down
delete from messages where chat_id in (select id from deleted_chats);
drop table deleted_chats;
