-- +goose Up

-- Nodes read what has changed in the order of commits, which is not that of changed_at: a commit that waits for a standby may take an hour. The
-- transaction is noted by a trigger, so that no writer can forget it, nor a node of the version before.
alter table user_bans add column changed_xid xid8;

-- +goose StatementBegin
create function note_ban_change() returns trigger
language plpgsql
as $$
begin
  new.changed_xid := pg_current_xact_id();
  return new;
end
$$;
-- +goose StatementEnd

create trigger ban_change before insert or update on user_bans for each row execute function note_ban_change();

-- user_bans_changed stays for nodes of the version before, which still run while this one is being rolled out.
create index user_bans_changed_xid on user_bans (changed_xid) where changed_xid is not null;

-- +goose Down
drop trigger ban_change on user_bans;
drop function note_ban_change();
drop index user_bans_changed_xid;
alter table user_bans drop column changed_xid;
