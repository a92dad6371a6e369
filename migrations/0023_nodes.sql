-- +goose Up

-- The processes of the service that live, for the console. Each renews its row every few seconds. Not logged: after a crash they tell it anew.
create unlogged table nodes (
  id uuid primary key,
  host text not null,
  pid integer not null,
  version text not null,
  roles text[] not null,
  started_at timestamptz not null,
  seen_at timestamptz not null, -- by the database's clock
  sessions integer not null,
  connections integer not null,
  ready boolean not null
) with (fillfactor = 50);

-- The console finds users by the beginning of their id or name.
create index users_id_prefix on users (id text_pattern_ops);
create index users_name_prefix on users (lower(name) text_pattern_ops);

-- +goose Down
drop index users_name_prefix, users_id_prefix;
drop table nodes;
