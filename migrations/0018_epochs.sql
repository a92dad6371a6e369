-- +goose Up

-- Epochs: the histories that the numbers of chats belong to. After a failover to a standby that lacked the last commits, or a restore from a backup, the
-- database gives out numbers again that readers have seen. PostgreSQL then writes another timeline.
create table epochs (
  id text primary key, -- random: two restores of one backup may write the same timeline
  place bigint generated always as identity,
  history text not null, -- current_history()
  system text not null, -- current_system()
  began_at timestamptz not null default clock_timestamp()
);

-- The last number that a chat had when it was first written to in an epoch.
create table chat_epochs (
  chat_id uuid not null references chats on delete cascade,
  place bigint not null, -- of the epoch
  start_seq bigint not null,
  primary key (chat_id, place)
);

-- current_history changes with the timeline, or with new_epoch(). A hosted PostgreSQL may refuse to tell its timeline: then only new_epoch() changes it.
-- +goose StatementBegin
create function define_current_history(salt text) returns void
language plpgsql
as $$
begin
  begin
    perform pg_walfile_name(pg_current_wal_lsn());
    execute format('create or replace function current_history() returns text language sql as %L',
      format('select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || %L', salt));
  exception when insufficient_privilege or undefined_function or feature_not_supported then
    execute format('create or replace function current_history() returns text language sql as %L', format('select text %L', salt));
  end;
end
$$;
-- +goose StatementEnd
select define_current_history('');

-- current_system identifies the cluster: a dump that is restored has another one.
-- +goose StatementBegin
create function current_system() returns text
language plpgsql
as $$
begin
  return (select system_identifier::text from pg_control_system());
exception when insufficient_privilege or undefined_function or feature_not_supported then
  return '';
end
$$;
-- +goose StatementEnd

-- note_epoch records the present epoch if it is new, and returns it. On a standby it returns the newest that is recorded.
-- +goose StatementBegin
create function note_epoch(out id text, out place bigint)
language plpgsql
as $$
declare
  newest epochs;
begin
  select * into newest from epochs e order by e.place desc limit 1;
  if not pg_is_in_recovery()
    and (newest.history is distinct from current_history() or newest.system is distinct from current_system()) then
    lock table epochs in exclusive mode;
    select * into newest from epochs e order by e.place desc limit 1;
    if newest.history = current_history() and newest.system <> current_system() then
      -- The chats remember the history: it must differ too.
      perform define_current_history('.' || current_system());
    end if;
    if newest.history is distinct from current_history() then
      insert into epochs (id, history, system)
      values (replace(gen_random_uuid()::text, '-', ''), current_history(), current_system()) returning * into newest;
    end if;
  end if;
  id := newest.id;
  place := newest.place;
end
$$;
-- +goose StatementEnd

-- present_epoch returns the present epoch; on a standby the newest that is recorded. Null if it is not recorded yet.
-- +goose StatementBegin
create function present_epoch() returns text
language plpgsql stable
as $$
declare
  newest epochs;
begin
  select * into newest from epochs e order by e.place desc limit 1;
  if pg_is_in_recovery() or (newest.history = current_history() and newest.system = current_system()) then
    return newest.id;
  end if;
  return null;
end
$$;
-- +goose StatementEnd

-- new_epoch is for the operator, after a restore that PostgreSQL does not know of, such as a copy of the data folder.
-- +goose StatementBegin
create function new_epoch() returns text
language plpgsql
as $$
begin
  perform define_current_history('.' || substr(gen_random_uuid()::text, 1, 8));
  return (note_epoch()).id;
end
$$;
-- +goose StatementEnd

-- The history in which the chat was last written to.
alter table chats add column history text;
alter table chats alter column history set default current_history();

-- +goose StatementBegin
create function note_chat_epoch() returns trigger
language plpgsql
as $$
declare
  present bigint := (note_epoch()).place;
begin
  -- Nobody has a cursor of an epoch before the first one.
  if present > (select min(place) from epochs) then
    insert into chat_epochs (chat_id, place, start_seq) values (old.id, present, old.last_seq) on conflict do nothing;
  end if;
  new.history := current_history();
  return new;
end
$$;
-- +goose StatementEnd

-- A trigger, so that no writer can forget it, nor a node of the version before.
create trigger chat_epoch before update of last_seq on chats
for each row when (old.history is distinct from current_history()) execute function note_chat_epoch();

-- valid_through returns the last number of a chat that is the same for a reader who saw the chat in that epoch: later numbers were given out anew. 0 for an
-- epoch that this database has never been in; null for a chat that does not exist.
create function valid_through(of_chat uuid, of_epoch text) returns bigint
language sql stable
as $$
  select case
    when e.place is null then 0
    else coalesce((select min(start_seq) from chat_epochs where chat_id = c.id and place > e.place), c.last_seq)
  end
  from chats c left join epochs e on e.id = of_epoch where c.id = of_chat
$$;

-- +goose Down
drop function valid_through;
drop trigger chat_epoch on chats;
drop function note_chat_epoch;
alter table chats drop column history;
drop function new_epoch;
drop function present_epoch;
drop function note_epoch;
drop function current_system;
drop function current_history;
drop function define_current_history;
drop table chat_epochs, epochs;
