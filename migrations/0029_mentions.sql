-- +goose Up

-- Whom the text mentions: a list of {user_id, offset, length} and {everyone, offset, length} in characters; null if nobody.
alter table messages add column mentions jsonb;

-- One row for each user that a message mentions, by whom counts and lists find it. The user '' is everyone in the chat.
create table mentions (
  chat_id uuid not null,
  user_id text not null,
  seq bigint not null,
  sender_id text not null,
  silent boolean not null,
  created_at timestamptz not null,
  primary key (chat_id, user_id, seq)
);

create index mentions_by_time on mentions (chat_id, user_id, created_at, seq);
create index mentions_of_message on mentions (chat_id, seq);

-- A new text, a deletion and the end of the row take the mentions away, whatever statement makes the change. An edit sets its own afterwards.
-- +goose StatementBegin
create function forget_mentions() returns trigger
language plpgsql
as $$
begin
  delete from mentions where chat_id = old.chat_id and seq = old.seq;
  if tg_op = 'DELETE' then
    return old;
  end if;
  new.mentions := null;
  return new;
end
$$;
-- +goose StatementEnd

create trigger forget_mentions_of_changed before update on messages for each row
  when (old.mentions is not null and (new.text is distinct from old.text or new.deleted_at is distinct from old.deleted_at))
  execute function forget_mentions();
create trigger forget_mentions_of_removed before delete on messages for each row
  when (old.mentions is not null)
  execute function forget_mentions();

-- set_mentions replaces the mentions of messages, by a list or by none ('null'). Call it in the transaction that has written the messages.
-- +goose StatementBegin
create function set_mentions(chat_ids uuid[], seqs bigint[], lists jsonb[]) returns void
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  delete from mentions m using unnest(chat_ids, seqs) as given (chat_id, seq)
  where m.chat_id = given.chat_id and m.seq = given.seq;

  update messages m set mentions = nullif(given.list, 'null') from unnest(chat_ids, seqs, lists) as given (chat_id, seq, list)
  where m.chat_id = given.chat_id and m.seq = given.seq and m.mentions is distinct from nullif(given.list, 'null');

  insert into mentions (chat_id, user_id, seq, sender_id, silent, created_at)
  select distinct m.chat_id, coalesce(one.user_id, ''), m.seq, m.sender_id, coalesce(m.silent, false), m.created_at
  from unnest(chat_ids, seqs, lists) as given (chat_id, seq, list)
  join messages m on m.chat_id = given.chat_id and m.seq = given.seq
  cross join lateral jsonb_to_recordset(nullif(given.list, 'null')) as one (user_id text);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop trigger forget_mentions_of_removed on messages;
drop trigger forget_mentions_of_changed on messages;
drop function set_mentions;
drop function forget_mentions;
drop table mentions;
alter table messages drop column mentions;
