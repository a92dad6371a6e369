-- +goose Up

-- How messages get into the database. One row. `direct`: append_messages is called for what clients send. `jetstream`: what clients send goes through
-- the log. Null: no process has started that chooses one.
create table ingest.mode (
  only_one boolean primary key default true check (only_one),
  mode text check (mode in ('direct', 'jetstream')),
  switch_id uuid -- of the newest switch, which alone may change the mode
);
insert into ingest.mode default values;

-- +goose Down
drop table ingest.mode;
