-- +goose Up

-- What happened to messages after they were sent. Messages and changes share the numbers of their chat: every number is one row of one of the two
-- tables. A change has no content of its own; the message has its newest state.
create table changes (
  chat_id uuid not null,
  seq bigint not null,
  kind text not null, -- edited, deleted
  message_seq bigint not null,
  actor_id text not null,
  client_change_id text, -- null for a deletion without one
  digest bytea, -- of the request: a repetition is compared with it. Null once the message is deleted
  created_at timestamptz not null,
  primary key (chat_id, seq)
);

create unique index changes_client_change_id on changes (chat_id, actor_id, client_change_id) where client_change_id is not null;
create index changes_message on changes (chat_id, message_seq);

alter table messages
  add column edited_at timestamptz,
  add column deleted_at timestamptz,
  add column deleted_by text,
  add column hidden boolean not null default false;

-- Catching up finds what has changed in the table above. No index contains a column that changes.
drop index messages_changed;

-- The texts that messages had before they were edited, if the service is configured to keep them.
create table message_versions (
  chat_id uuid not null,
  message_seq bigint not null,
  version bigint not null, -- update_seq of the message while it had this text
  text text not null,
  created_at timestamptz not null,
  primary key (chat_id, message_seq, version)
);

-- append_messages as in 0004_roles.sql, but a message whose content is deleted is recognised by its client_message_id alone.
-- +goose StatementBegin
create or replace function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  sending_roles text[],
  service_positions integer[]
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  committed_at timestamptz;
begin
  -- Always in the same order, so that two batches cannot wait for each other.
  perform from chats c where c.id = any (chat_ids) order by c.id for no key update;
  -- Not now(): that is before the wait for the locks, and would run against the order of the numbers.
  committed_at := date_trunc('milliseconds', clock_timestamp());

  return query
  with input as (
    select * from unnest(chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts)
      with ordinality as t (chat_id, id, sender_id, sender_name, client_message_id, content_hash, text, position)
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.id as prior_id, prior.seq as prior_seq, prior.created_at as prior_at,
      case
        when c.id is null then 'chat_not_found'
        when prior.id is not null then case
          when prior.content_hash is null or prior.content_hash = i.content_hash then 'repeated' else 'reused'
        end
        when i.position = any (service_positions) then 'stored'
        when m.role is null then 'not_a_member'
        when m.role <> all (sending_roles) then 'role_too_low'
        else 'stored'
      end as outcome
    from input i
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.sender_id
    left join messages prior
      on prior.chat_id = i.chat_id and prior.sender_id = i.sender_id and prior.client_message_id = i.client_message_id
  ),
  numbered as (
    select j.*, case when outcome = 'stored'
      then last_seq + row_number() over (partition by chat_id, outcome order by position) end as new_seq
    from judged j
  ),
  inserted as (
    insert into messages
      (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, created_at)
    select chat_id, new_seq, new_seq, id, sender_id, sender_name, client_message_id, content_hash, text, committed_at
    from numbered where outcome = 'stored' order by position
  ),
  counted as (
    update chats c set last_seq = n.last_seq, changed_at = committed_at
    from (select chat_id, max(new_seq) as last_seq from numbered where outcome = 'stored' group by chat_id) n
    where c.id = n.chat_id
  )
  select n.outcome, n.chat_type, coalesce(n.prior_id, n.id), coalesce(n.prior_seq, n.new_seq),
    coalesce(n.prior_at, committed_at)
  from numbered n order by n.position;
end
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  sending_roles text[],
  service_positions integer[]
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  committed_at timestamptz;
begin
  -- Always in the same order, so that two batches cannot wait for each other.
  perform from chats c where c.id = any (chat_ids) order by c.id for no key update;
  -- Not now(): that is before the wait for the locks, and would run against the order of the numbers.
  committed_at := date_trunc('milliseconds', clock_timestamp());

  return query
  with input as (
    select * from unnest(chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts)
      with ordinality as t (chat_id, id, sender_id, sender_name, client_message_id, content_hash, text, position)
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.id as prior_id, prior.seq as prior_seq, prior.created_at as prior_at,
      case
        when c.id is null then 'chat_not_found'
        when prior.id is not null then case when prior.content_hash = i.content_hash then 'repeated' else 'reused' end
        when i.position = any (service_positions) then 'stored'
        when m.role is null then 'not_a_member'
        when m.role <> all (sending_roles) then 'role_too_low'
        else 'stored'
      end as outcome
    from input i
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.sender_id
    left join messages prior
      on prior.chat_id = i.chat_id and prior.sender_id = i.sender_id and prior.client_message_id = i.client_message_id
  ),
  numbered as (
    select j.*, case when outcome = 'stored'
      then last_seq + row_number() over (partition by chat_id, outcome order by position) end as new_seq
    from judged j
  ),
  inserted as (
    insert into messages
      (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, created_at)
    select chat_id, new_seq, new_seq, id, sender_id, sender_name, client_message_id, content_hash, text, committed_at
    from numbered where outcome = 'stored' order by position
  ),
  counted as (
    update chats c set last_seq = n.last_seq, changed_at = committed_at
    from (select chat_id, max(new_seq) as last_seq from numbered where outcome = 'stored' group by chat_id) n
    where c.id = n.chat_id
  )
  select n.outcome, n.chat_type, coalesce(n.prior_id, n.id), coalesce(n.prior_seq, n.new_seq),
    coalesce(n.prior_at, committed_at)
  from numbered n order by n.position;
end
$$;
-- +goose StatementEnd
drop table message_versions;
alter table messages drop column edited_at, drop column deleted_at, drop column deleted_by, drop column hidden;
create index messages_changed on messages (chat_id, update_seq) where update_seq <> seq;
drop table changes;
