-- +goose Up

-- Accounts and their sessions. Only the schema `auth`: it may live in a database without chats.
create table auth.accounts (
  -- The token's subject: the user name in lower case; `service:` and the name for a backend's.
  user_id text primary key,
  name text not null,
  password_hash text not null, -- PHC string format
  roles text[] not null,
  created_at timestamptz not null default clock_timestamp(),
  password_changed_at timestamptz not null default clock_timestamp()
);

create table auth.sessions (
  id uuid primary key,
  user_id text not null, -- without a reference: a guest's session is only kept once it has ended
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  user_agent text not null default '',
  address text not null default '',
  ended_at timestamptz,
  end_reason text check ((end_reason is null) = (ended_at is null))
);

create index sessions_user on auth.sessions (user_id);
create index sessions_expiry on auth.sessions (expires_at);
-- Those who verify tokens read what has ended lately.
create index sessions_ended on auth.sessions (ended_at) where ended_at is not null;

create table auth.refresh_tokens (
  token_hash bytea primary key, -- SHA-256
  session_id uuid not null references auth.sessions (id) on delete cascade,
  created_at timestamptz not null default clock_timestamp(),
  used_at timestamptz
);

create index refresh_tokens_session on auth.refresh_tokens (session_id);

create table auth.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor_id text not null default '', -- empty: the operator
  user_id text not null default '',
  action text not null,
  detail jsonb not null default '{}'
);

create index audit_log_user on auth.audit_log (user_id, id);

-- A new key is published first and signs later, when every verifier knows it; an old one stays until its last token has expired.
alter table auth.signing_keys
  add column signs_from timestamptz not null default clock_timestamp(),
  add column retires_at timestamptz;

-- +goose Down
alter table auth.signing_keys drop column retires_at, drop column signs_from;
drop table auth.audit_log, auth.refresh_tokens, auth.sessions, auth.accounts;
