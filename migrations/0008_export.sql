-- +goose Up

-- What was exported of each chat, for other services. Kept by triggers that are off, and cost nothing, until a relay calls export.enable().
create schema export;

create table export.chats (
  chat_id uuid primary key,
  last_seq bigint not null, -- of the chat, as of its last change
  deleted boolean not null default false,
  exported_seq bigint not null default 0,
  -- Where the chat's last exported event stands in the stream: the next one must follow it.
  position bigint not null default 0,
  leased_until timestamptz -- by the relay that is at it
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create index export_pending on export.chats (chat_id) where last_seq > exported_seq or deleted;

-- +goose StatementBegin
create function export.note_changes() returns trigger
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
create function export.note_deletion() returns trigger
language plpgsql
as $$
begin
  insert into export.chats (chat_id, last_seq, deleted) values (old.id, old.last_seq, true)
  on conflict (chat_id) do update set deleted = true;
  return null;
end
$$;
-- +goose StatementEnd

-- For a whole batch at once. Whoever gets here holds the chats' locks, and so nobody else writes these rows but a relay, which holds none while it waits for one.
create trigger export_change after update on chats
  referencing new table as changed for each statement execute function export.note_changes();
create trigger export_deletion after delete on chats for each row execute function export.note_deletion();
alter table chats disable trigger export_change;
alter table chats disable trigger export_deletion;

-- How far the chats have been noted that there were before the triggers were turned on. One row.
create table export.backfill (
  only_one boolean primary key default true check (only_one),
  after_id uuid not null, -- chats up to this one have been noted
  done boolean not null
);

-- enable has all changes noted from now on; what there is already is left to note_old.
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

-- note_old notes some of the chats that there were before. A few at a time: writers wait for those. Answers whether there are more.
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

-- disable is for the operator, when nothing is exported any more: enabled again, it goes on where it was.
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

-- +goose Down
drop trigger export_change on chats;
drop trigger export_deletion on chats;
drop schema export cascade;
