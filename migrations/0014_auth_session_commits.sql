-- +goose Up

-- Nodes read which sessions have ended in the order of commits, as the bans.
alter table auth.sessions add column ended_xid xid8;

-- +goose StatementBegin
create function auth.note_session_end() returns trigger
language plpgsql
as $$
begin
  new.ended_xid := pg_current_xact_id();
  return new;
end
$$;
-- +goose StatementEnd

create trigger session_end before insert or update of ended_at on auth.sessions
for each row when (new.ended_at is not null) execute function auth.note_session_end();

create index sessions_ended_xid on auth.sessions (ended_xid) where ended_xid is not null;

-- +goose Down
drop trigger session_end on auth.sessions;
drop function auth.note_session_end();
drop index auth.sessions_ended_xid;
alter table auth.sessions drop column ended_xid;
