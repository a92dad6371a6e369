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

-- append_changes commits a batch of changes of messages: one row of the answer for each, in the order given. A batch must not contain two changes of
-- one message. The outcomes are those of ChangeRepository.
--
-- Like append_messages, it locks the chats and then reads what nobody can change any more, and it looks rows up by index only.
-- +goose StatementBegin
create function append_changes(
  chat_ids uuid[],
  message_ids uuid[],
  kinds text[],
  actor_ids text[],
  client_change_ids text[],
  digests bytea[],
  texts text[],
  hides boolean[],
  if_versions bigint[],
  reasons text[],
  service_positions integer[],
  sending_roles text[],
  moderating_roles text[],
  edit_window interval, -- null: no limit
  delete_window interval,
  keep_versions boolean
) returns table (
  outcome text, chat_type text, change_seq bigint, changed_at timestamptz,
  chat_id uuid, seq bigint, update_seq bigint, id uuid, sender_id text, sender_name text, client_message_id text, text text, system jsonb,
  created_at timestamptz, edited_at timestamptz, deleted_at timestamptz, deleted_by text, hidden boolean
)
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
  perform from chats c where c.id = any (chat_ids) order by c.id for no key update;
  committed_at := date_trunc('milliseconds', clock_timestamp());

  return query
  with input as (
    select *, position = any (service_positions) as as_service
    from unnest(chat_ids, message_ids, kinds, actor_ids, client_change_ids, digests, texts, hides, if_versions, reasons)
      with ordinality as i (chat_id, message_id, kind, actor_id, client_change_id, digest, text, hide, if_version, reason, position)
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.seq as prior_seq, prior.created_at as prior_at,
      t.seq as message_seq, t.update_seq as version, t.sender_id, t.text as old_text, coalesce(t.edited_at, t.created_at) as old_at,
      t.deleted_at as deleted_before, t.deleted_by as deleted_before_by,
      case
        when c.id is null then 'chat_not_found'
        when prior.seq is not null then case when prior.digest is null or prior.digest = i.digest then 'repeated' else 'reused' end
        when m.role is null and not i.as_service then 'not_a_member'
        when i.kind = 'edited' and m.role <> all (sending_roles) and not i.as_service then 'role_too_low'
        when t.seq is null or t.hidden then 'message_not_found'
        when t.system is not null then 'system_message'
        when i.kind = 'edited' then case
          when t.sender_id <> i.actor_id and not i.as_service then 'not_the_sender'
          when t.deleted_at is not null then 'message_deleted'
          when not i.as_service and committed_at > t.created_at + edit_window then 'too_late'
          when i.if_version <> t.update_seq then 'version_conflict'
          else 'stored'
        end
        else case
          when t.sender_id <> i.actor_id and not rights.moderates then 'not_the_sender'
          when t.deleted_at is not null and not i.hide then 'already_deleted'
          when not rights.moderates and committed_at > t.created_at + delete_window then 'too_late'
          when i.if_version <> t.update_seq then 'version_conflict'
          else 'stored'
        end
      end as outcome
    from input i
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.actor_id
    left join changes prior
      on prior.chat_id = i.chat_id and prior.actor_id = i.actor_id and prior.client_change_id = i.client_change_id
    left join messages t on t.chat_id = i.chat_id and t.id = i.message_id
    -- In a direct chat nobody is above the other.
    cross join lateral (
      select i.as_service or coalesce(m.role = any (moderating_roles) and c.type <> 'DIRECT', false) as moderates
    ) rights
  ),
  numbered as (
    select j.*, case when outcome = 'stored'
      then last_seq + row_number() over (partition by chat_id, outcome order by position) end as new_seq
    from judged j
  ),
  counted as (
    -- The order of chats does not change: changed_at remains.
    update chats c set last_seq = n.last_seq
    from (select chat_id, max(new_seq) as last_seq from numbered where outcome = 'stored' group by chat_id) n
    where c.id = n.chat_id
  ),
  inserted as (
    insert into changes (chat_id, seq, kind, message_seq, actor_id, client_change_id, digest, created_at)
    select chat_id, new_seq, kind, message_seq, actor_id, client_change_id, case when kind = 'edited' then digest end, committed_at
    from numbered where outcome = 'stored' order by position
  ),
  changed as (
    update messages m set
      update_seq = n.new_seq,
      text = case when n.kind = 'edited' then n.text else '' end,
      -- A repetition of what was sent is recognised by its client_message_id alone once the content is gone.
      content_hash = case when n.kind = 'edited' then m.content_hash end,
      edited_at = case when n.kind = 'edited' then committed_at else m.edited_at end,
      deleted_at = case when n.kind = 'deleted' then coalesce(n.deleted_before, committed_at) end,
      deleted_by = case when n.kind = 'deleted' then coalesce(n.deleted_before_by, n.actor_id) end,
      hidden = n.kind = 'deleted' and n.hide
    from numbered n
    where n.outcome = 'stored' and m.chat_id = n.chat_id and m.seq = n.message_seq
    returning m.*
  ),
  kept as (
    insert into message_versions (chat_id, message_seq, version, text, created_at)
    select chat_id, message_seq, version, old_text, old_at from numbered
    where outcome = 'stored' and kind = 'edited' and keep_versions
  ),
  wiped_versions as (
    delete from message_versions v using numbered n
    where n.outcome = 'stored' and n.kind = 'deleted' and v.chat_id = n.chat_id and v.message_seq = n.message_seq
  ),
  wiped_digests as (
    update changes e set digest = null from numbered n
    where n.outcome = 'stored' and n.kind = 'deleted' and e.chat_id = n.chat_id and e.message_seq = n.message_seq
  ),
  audited as (
    insert into audit_log (actor_id, action, chat_id, detail)
    select actor_id, 'message.delete', chat_id,
      jsonb_build_object('message_id', message_id, 'sender_id', sender_id, 'reason', reason)
    from numbered where outcome = 'stored' and kind = 'deleted' and actor_id <> sender_id order by position
  )
  select n.outcome, n.chat_type,
    case n.outcome when 'already_deleted' then n.version else coalesce(n.prior_seq, n.new_seq) end,
    case n.outcome when 'already_deleted' then n.deleted_before else coalesce(n.prior_at, committed_at) end,
    m.chat_id, m.seq, m.update_seq, m.id, m.sender_id, m.sender_name, m.client_message_id, m.text, m.system,
    m.created_at, m.edited_at, m.deleted_at, m.deleted_by, m.hidden
  from numbered n left join changed m on m.chat_id = n.chat_id and m.seq = n.message_seq
  order by n.position;
end
$$;
-- +goose StatementEnd

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
drop function append_changes;
drop table message_versions;
alter table messages drop column edited_at, drop column deleted_at, drop column deleted_by, drop column hidden;
create index messages_changed on messages (chat_id, update_seq) where update_seq <> seq;
drop table changes;
