-- +goose Up

-- lock_chats locks those of the chats that no other transaction has locked, and returns their ids. It does not wait for a lock while it holds one, so
-- that a chat that is locked for long delays no other chat. If wait_ms is above 0, it first waits up to wait_ms milliseconds for the first chat.
-- +goose StatementBegin
create function lock_chats(chat_ids uuid[], wait_ms integer) returns uuid[]
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  timeout_before text := current_setting('lock_timeout');
begin
  if wait_ms > 0 then
    perform set_config('lock_timeout', wait_ms::text, true);
    begin
      perform from chats c where c.id = chat_ids[1] for no key update;
    exception when lock_not_available then
      null;
    end;
    perform set_config('lock_timeout', timeout_before, true);
  end if;
  return array(select c.id from chats c where c.id = any (chat_ids) order by c.id for no key update skip locked);
end
$$;
-- +goose StatementEnd

-- append_messages as before, but it writes to those chats only that lock_chats has locked. The messages of the others have the outcome `busy`. Those with
-- fewer parameters stay for nodes of the version before, which do not know that outcome.
-- +goose StatementBegin
create function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  sending_roles text[],
  service_positions integer[],
  wait_ms integer
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
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
    select * from unnest(chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts)
      with ordinality as t (chat_id, id, sender_id, sender_name, client_message_id, content_hash, text, position)
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

-- ingest.append_messages writes a batch of accepted messages and moves the position over them, in one transaction. They are stored whoever the chats'
-- members are by now: they were judged when they were accepted. If a chat is busy, the messages of the other chats are stored, and the position stays
-- until the busy ones have been written as well. The time of a message is that of the database when it is written.
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
  wait_ms integer
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
declare
  any_busy boolean := false;
begin
  -- Before the messages: a writer that has lost the partition must not write.
  perform ingest.move(writer, of_partition, from_position, to_position);
  for outcome, chat_type, message_id, seq, created_at in
    select a.outcome, a.chat_type, a.message_id, a.seq, a.created_at
    from append_messages(
      chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts,
      array[]::text[], array(select generate_series(1, cardinality(chat_ids))), wait_ms
    ) with ordinality as a (outcome, chat_type, message_id, seq, created_at, place) order by a.place
  loop
    any_busy := any_busy or outcome = 'busy';
    return next;
  end loop;
  if any_busy then
    perform ingest.move(writer, of_partition, to_position, from_position);
  end if;
end
$$;
-- +goose StatementEnd

-- note_old as before, but only for chats whose locks it has. Whoever has the lock of a chat may also hold its cursor, and note_old must not wait for the
-- cursor of one chat while writers of other chats wait for note_old.
-- +goose StatementBegin
create or replace function export.note_old(of_sink text, how_many integer) returns boolean
language plpgsql
as $$
declare
  from_id uuid;
  last_id uuid;
  old_ids uuid[];
  locked_ids uuid[];
begin
  select backfilled_through into from_id from export.sinks where name = of_sink and not backfilled for update;
  if not found then
    return false;
  end if;
  old_ids := array(select id from chats where id > from_id order by id limit how_many);
  -- Waits for the first one, so that a call without progress takes a second.
  locked_ids := lock_chats(old_ids, 1000);
  -- The last chat before the first one that is busy or was deleted meanwhile: both arrays are in order.
  select o.id into last_id from unnest(old_ids) with ordinality as o (id, place)
  where o.id = locked_ids[o.place] order by o.place desc limit 1;

  insert into export.cursors (chat_id, sink, last_seq)
  select id, of_sink, last_seq from chats where id > from_id and id <= last_id order by id
  on conflict (chat_id, sink) do update set last_seq = greatest(cursors.last_seq, excluded.last_seq);
  update export.sinks set backfilled_through = coalesce(last_id, from_id), backfilled = cardinality(old_ids) = 0
  where name = of_sink;
  return cardinality(old_ids) > 0;
end
$$;
-- +goose StatementEnd

-- +goose Down

-- +goose StatementBegin
create or replace function export.note_old(of_sink text, how_many integer) returns boolean
language plpgsql
as $$
declare
  from_id uuid;
  last_id uuid;
begin
  select backfilled_through into from_id from export.sinks where name = of_sink and not backfilled for update;
  if not found then
    return false;
  end if;
  with old as (
    select id, last_seq from chats where id > from_id order by id limit how_many
  ), noted as (
    insert into export.cursors (chat_id, sink, last_seq) select id, of_sink, last_seq from old
    on conflict (chat_id, sink) do update set last_seq = greatest(cursors.last_seq, excluded.last_seq)
  )
  select id into last_id from old order by id desc limit 1;
  update export.sinks set backfilled_through = coalesce(last_id, from_id), backfilled = last_id is null where name = of_sink;
  return last_id is not null;
end
$$;
-- +goose StatementEnd
drop function ingest.append_messages(
  uuid, integer, bigint, bigint, uuid[], uuid[], text[], text[], text[], bytea[], text[], integer
);
drop function append_messages(
  uuid[], uuid[], text[], text[], text[], bytea[], text[], text[], integer[], integer
);
drop function lock_chats(uuid[], integer);
