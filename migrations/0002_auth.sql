-- +goose Up

-- What the embedded token issuer keeps. A schema of its own: it may move to another database.
create schema auth;

create table auth.signing_keys (
  kid text primary key,
  private_jwk jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);

-- +goose Down
drop schema auth cascade;
