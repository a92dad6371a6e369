-- +goose Up

-- A cursor for each sink and chat. Before, there was one sink, `jetstream`, and a cursor was keyed by its chat alone.

-- Waits for the transactions that write to chats: a trigger that is running must find its table under the old name.
lock table chats in share row exclusive mode;

-- The sinks that changes are recorded for.
create table export.sinks (
  name text primary key,
  enabled boolean not null, -- changes are recorded for it
  -- Chats that are older than the sink get their cursors in the order of their ids; those up to this id have one.
  backfilled_through uuid not null,
  backfilled boolean not null
);
insert into export.sinks (name, enabled, backfilled_through, backfilled)
select 'jetstream', t.tgenabled = 'O', b.after_id, b.done
from export.backfill b, pg_trigger t where t.tgrelid = 'chats'::regclass and t.tgname = 'export_change';
drop table export.backfill;

alter table export.chats rename to cursors;
alter table export.cursors add column sink text not null default 'jetstream';
alter table export.cursors alter column sink drop default;
alter table export.cursors drop constraint chats_pkey;
alter table export.cursors add constraint cursors_pkey primary key (chat_id, sink);
drop index export.export_pending;
create index cursors_pending on export.cursors (sink, chat_id) where last_seq > exported_seq or deleted;

-- +goose StatementBegin
create or replace function export.note_changes() returns trigger
language plpgsql
as $$
begin
  -- In the order in which note_old takes the same rows, so that the two cannot block each other.
  insert into export.cursors (chat_id, sink, last_seq)
  select c.id, s.name, c.last_seq from changed c cross join export.sinks s where s.enabled order by s.name, c.id
  on conflict (chat_id, sink) do update set last_seq = excluded.last_seq where cursors.last_seq < excluded.last_seq;
  return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function export.note_deletion() returns trigger
language plpgsql
as $$
begin
  insert into export.cursors (chat_id, sink, last_seq, deleted)
  select old.id, s.name, old.last_seq, true from export.sinks s where s.enabled order by s.name
  on conflict (chat_id, sink) do update set deleted = true;
  return null;
end
$$;
-- +goose StatementEnd

-- enable records all changes for a sink from now on; note_old does the chats that exist already.
drop function export.enable();
-- +goose StatementBegin
create function export.enable(of_sink text) returns void
language plpgsql
as $$
begin
  if exists (select from export.sinks where name = of_sink and enabled) then
    return;
  end if;
  -- Waits for the transactions that write to chats: each change is either theirs, and found by note_old, or recorded by the triggers.
  lock table chats in share row exclusive mode;
  alter table chats enable trigger export_change;
  alter table chats enable trigger export_deletion;
  insert into export.sinks (name, enabled, backfilled_through, backfilled)
  values (of_sink, true, '00000000-0000-0000-0000-000000000000', false)
  on conflict (name) do update set enabled = true, backfilled_through = excluded.backfilled_through, backfilled = false;
end
$$;
-- +goose StatementEnd

-- note_old gives a cursor of the sink to the next chats that are older than the sink, and returns whether more may follow. Writers of these chats wait
-- meanwhile, so how_many should be small.
drop function export.note_old(integer);
-- +goose StatementBegin
create function export.note_old(of_sink text, how_many integer) returns boolean
language plpgsql
as $$
declare
  from_id uuid;
  last_id uuid;
begin
  select backfilled_through into from_id from export.sinks where name = of_sink and not backfilled for update;
  if not found then
    return false;
  end if;
  with old as (
    select id, last_seq from chats where id > from_id order by id limit how_many
  ), noted as (
    insert into export.cursors (chat_id, sink, last_seq) select id, of_sink, last_seq from old
    on conflict (chat_id, sink) do update set last_seq = greatest(cursors.last_seq, excluded.last_seq)
  )
  select id into last_id from old order by id desc limit 1;
  update export.sinks set backfilled_through = coalesce(last_id, from_id), backfilled = last_id is null where name = of_sink;
  return last_id is not null;
end
$$;
-- +goose StatementEnd

-- disable is for the operator, when a sink is no longer used. It keeps the sink's cursors: enabled again, the sink goes on from them.
drop function export.disable();
-- +goose StatementBegin
create function export.disable(of_sink text) returns void
language plpgsql
as $$
begin
  lock table chats in share row exclusive mode;
  update export.sinks set enabled = false where name = of_sink;
  if not exists (select from export.sinks where enabled) then
    alter table chats disable trigger export_change;
    alter table chats disable trigger export_deletion;
  end if;
end
$$;
-- +goose StatementEnd

-- +goose Down

-- The cursors of `jetstream` stay; those of other sinks have no place in the old schema.
lock table chats in share row exclusive mode;
create table export.backfill (
  only_one boolean primary key default true check (only_one),
  after_id uuid not null, -- chats up to this one have been noted
  done boolean not null
);
insert into export.backfill (after_id, done)
select backfilled_through, backfilled from export.sinks where name = 'jetstream';
-- +goose StatementBegin
do $$
begin
  if not exists (select from export.sinks where name = 'jetstream' and enabled) then
    alter table chats disable trigger export_change;
    alter table chats disable trigger export_deletion;
  end if;
end
$$;
-- +goose StatementEnd
drop table export.sinks;

delete from export.cursors where sink <> 'jetstream';
drop index export.cursors_pending;
alter table export.cursors drop constraint cursors_pkey;
alter table export.cursors drop column sink;
alter table export.cursors rename to chats;
alter table export.chats add constraint chats_pkey primary key (chat_id);
create index export_pending on export.chats (chat_id) where last_seq > exported_seq or deleted;

-- +goose StatementBegin
create or replace function export.note_changes() returns trigger
language plpgsql
as $$
begin
  insert into export.chats (chat_id, last_seq) select id, last_seq from changed
  on conflict (chat_id) do update set last_seq = excluded.last_seq where chats.last_seq < excluded.last_seq;
  return null;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function export.note_deletion() returns trigger
language plpgsql
as $$
begin
  insert into export.chats (chat_id, last_seq, deleted) values (old.id, old.last_seq, true)
  on conflict (chat_id) do update set deleted = true;
  return null;
end
$$;
-- +goose StatementEnd

drop function export.enable(text);
-- +goose StatementBegin
create function export.enable() returns void
language plpgsql
as $$
begin
  if exists (select from pg_trigger where tgrelid = 'chats'::regclass and tgname = 'export_change' and tgenabled = 'O') then
    return;
  end if;
  alter table chats enable trigger export_change;
  alter table chats enable trigger export_deletion;
  insert into export.backfill (after_id, done) values ('00000000-0000-0000-0000-000000000000', false)
  on conflict (only_one) do update set after_id = excluded.after_id, done = false;
end
$$;
-- +goose StatementEnd

drop function export.note_old(text, integer);
-- +goose StatementBegin
create function export.note_old(how_many integer) returns boolean
language plpgsql
as $$
declare
  from_id uuid;
  last_id uuid;
begin
  select after_id into from_id from export.backfill where not done for update;
  if not found then
    return false;
  end if;
  with old as (
    select id, last_seq from chats where id > from_id order by id limit how_many
  ), noted as (
    insert into export.chats (chat_id, last_seq) select id, last_seq from old
    on conflict (chat_id) do update set last_seq = greatest(chats.last_seq, excluded.last_seq)
  )
  select id into last_id from old order by id desc limit 1;
  update export.backfill set after_id = coalesce(last_id, from_id), done = last_id is null;
  return last_id is not null;
end
$$;
-- +goose StatementEnd

drop function export.disable(text);
-- +goose StatementBegin
create function export.disable() returns void
language plpgsql
as $$
begin
  alter table chats disable trigger export_change;
  alter table chats disable trigger export_deletion;
end
$$;
-- +goose StatementEnd
