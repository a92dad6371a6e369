-- +goose Up

-- What programs add to the text of a message: an object; null if there is none.
alter table messages add column data jsonb;
alter table message_versions add column data jsonb;

-- The functions below are as before, but with data. Those without stay for nodes of the version before. What they read is in memory, and their plans stay
-- while the tables grow, so that rows count and pages hardly do: with the usual price of a page that is read at random, a plan made for a few hundred messages
-- looked for the repetition of a message among all messages of its chat, by the primary key, instead of by the index for it.
-- +goose StatementBegin
create function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  datas text[], -- objects as JSON, or null
  sending_roles text[],
  service_positions integer[],
  wait_ms integer
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 0.1
as $$
#variable_conflict use_column
declare
  locked_ids uuid[] := lock_chats(chat_ids, wait_ms);
  -- Not now(): that is before the wait for a lock, and would run against the order of the numbers.
  committed_at timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  return query
  with input as (
    select * from unnest(chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts, datas)
      with ordinality as t (chat_id, id, sender_id, sender_name, client_message_id, content_hash, text, data, position)
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.id as prior_id, prior.seq as prior_seq, prior.created_at as prior_at,
      case
        when c.id is null then 'chat_not_found'
        when prior.id is not null then
          case when prior.content_hash is null or prior.content_hash = i.content_hash then 'repeated' else 'reused' end
        when c.id <> all (locked_ids) then 'busy'
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
      (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, data, created_at)
    select chat_id, new_seq, new_seq, id, sender_id, sender_name, client_message_id, content_hash, text, data::jsonb, committed_at
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

-- +goose StatementBegin
create function ingest.append_messages(
  writer uuid,
  of_partition integer,
  from_position bigint,
  to_position bigint,
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  datas text[],
  wait_ms integer
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
begin
  -- Before the messages: a writer that has lost the partition must not write.
  perform ingest.move(writer, of_partition, from_position, to_position);
  return query
  with appended as materialized (
    select * from append_messages(
      chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts, datas,
      array[]::text[], array(select generate_series(1, cardinality(chat_ids))), wait_ms
    ) with ordinality as a (outcome, chat_type, message_id, seq, created_at, place)
  ),
  moved_back as materialized (
    select ingest.move(writer, of_partition, to_position, from_position)
    where exists (select from appended where outcome in ('busy', 'reused'))
  )
  select a.outcome, a.chat_type, a.message_id, a.seq, a.created_at
  from appended a left join moved_back on true order by a.place;
end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function append_changes(
  chat_ids uuid[],
  message_ids uuid[],
  kinds text[],
  actor_ids text[],
  client_change_ids text[],
  digests bytea[],
  texts text[],
  datas text[], -- objects as JSON. Null: unchanged; {}: none
  hides boolean[],
  if_versions bigint[],
  reasons text[],
  service_positions integer[],
  sending_roles text[],
  moderating_roles text[],
  edit_window interval, -- null: no limit
  delete_window interval,
  keep_versions boolean,
  wait_ms integer
) returns table (
  outcome text, chat_type text, change_seq bigint, changed_at timestamptz,
  chat_id uuid, seq bigint, update_seq bigint, id uuid, sender_id text, sender_name text, client_message_id text, text text, system jsonb,
  created_at timestamptz, edited_at timestamptz, deleted_at timestamptz, deleted_by text, hidden boolean, data jsonb
)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 0.1
as $$
#variable_conflict use_column
declare
  locked_ids uuid[] := lock_chats(chat_ids, wait_ms);
  -- Not now(): that is before the wait for a lock, and would run against the order of the numbers.
  committed_at timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
  return query
  with input as (
    select *, position = any (service_positions) as as_service
    from unnest(chat_ids, message_ids, kinds, actor_ids, client_change_ids, digests, texts, datas, hides, if_versions, reasons)
      with ordinality as i (chat_id, message_id, kind, actor_id, client_change_id, digest, text, data, hide, if_version, reason, position)
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.seq as prior_seq, prior.created_at as prior_at,
      t.seq as message_seq, t.update_seq as version, t.sender_id, t.text as old_text, t.data as old_data, coalesce(t.edited_at, t.created_at) as old_at,
      t.deleted_at as deleted_before, t.deleted_by as deleted_before_by,
      case
        when c.id is null then 'chat_not_found'
        when prior.seq is not null then case when prior.digest is null or prior.digest = i.digest then 'repeated' else 'reused' end
        when c.id <> all (locked_ids) then 'busy'
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
      data = case when n.kind = 'edited' then case when n.data is null then m.data else nullif(n.data::jsonb, '{}') end end,
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
    insert into message_versions (chat_id, message_seq, version, text, data, created_at)
    select chat_id, message_seq, version, old_text, old_data, old_at from numbered
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
    m.created_at, m.edited_at, m.deleted_at, m.deleted_by, m.hidden, m.data
  from numbered n left join changed m on m.chat_id = n.chat_id and m.seq = n.message_seq
  order by n.position;
end
$$;
-- +goose StatementEnd

-- A deletion by a node of the version before removes the data, too.
-- +goose StatementBegin
create or replace function append_changes(
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
  keep_versions boolean,
  wait_ms integer
) returns table (
  outcome text, chat_type text, change_seq bigint, changed_at timestamptz,
  chat_id uuid, seq bigint, update_seq bigint, id uuid, sender_id text, sender_name text, client_message_id text, text text, system jsonb,
  created_at timestamptz, edited_at timestamptz, deleted_at timestamptz, deleted_by text, hidden boolean
)
language sql
as $$
  select a.outcome, a.chat_type, a.change_seq, a.changed_at, a.chat_id, a.seq, a.update_seq, a.id, a.sender_id, a.sender_name,
    a.client_message_id, a.text, a.system, a.created_at, a.edited_at, a.deleted_at, a.deleted_by, a.hidden
  from append_changes(
    chat_ids, message_ids, kinds, actor_ids, client_change_ids, digests, texts, array_fill(null::text, array[cardinality(chat_ids)]), hides,
    if_versions, reasons, service_positions, sending_roles, moderating_roles, edit_window, delete_window, keep_versions, wait_ms
  ) with ordinality as a (
    outcome, chat_type, change_seq, changed_at, chat_id, seq, update_seq, id, sender_id, sender_name,
    client_message_id, text, system, created_at, edited_at, deleted_at, deleted_by, hidden, data, place
  ) order by a.place
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function append_changes(
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
  keep_versions boolean,
  wait_ms integer
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
  locked_ids uuid[] := lock_chats(chat_ids, wait_ms);
  -- Not now(): that is before the wait for a lock, and would run against the order of the numbers.
  committed_at timestamptz := date_trunc('milliseconds', clock_timestamp());
begin
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
        when c.id <> all (locked_ids) then 'busy'
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
drop function append_changes(
  uuid[], uuid[], text[], text[], text[], bytea[], text[], text[], boolean[], bigint[], text[], integer[], text[], text[], interval, interval,
  boolean, integer
);
drop function ingest.append_messages(
  uuid, integer, bigint, bigint, uuid[], uuid[], text[], text[], text[], bytea[], text[], text[], integer
);
drop function append_messages(uuid[], uuid[], text[], text[], text[], bytea[], text[], text[], text[], integer[], integer);
alter table message_versions drop column data;
alter table messages drop column data;
