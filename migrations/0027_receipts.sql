-- +goose Up

-- How far a device of the member has received the chat, at least up to read_seq; how often read_seq was moved back, by which clients tell newer states of it
-- from older ones; and until when the member does not want to be notified.
alter table members
  add column delivered_seq bigint not null default 0,
  add column read_generation integer not null default 0,
  add column muted_until timestamptz;

-- +goose Down
alter table members drop column muted_until, drop column read_generation, drop column delivered_seq;
