-- +goose Up

-- Messages that grow while readers read them, such as the answers of language models. A streamed message is one row; each flush of its parts is a row of
-- `changes` (kind `streamed`), and so is the end (`stream_ended`).
alter table messages
  add column streaming text, -- streaming, cancelled. Null: an ordinary message, or a complete one
  add column last_part integer, -- the number of the last part in `text`, 0 before the first one. Null: never streamed
  add column streamed_at timestamptz, -- when the sender was last heard
  add column streamed_seq bigint; -- the number of the last row of the stream

-- Its senders may not edit a message that is still growing. Not valid: rows from before cannot break it and need no look.
alter table messages add constraint messages_edited_once_complete
  check (streaming is null or streaming <> 'streaming' or edited_at is null) not valid;

-- For the time-out: the messages that are growing now are few.
create index messages_streaming on messages (chat_id, seq) where streaming = 'streaming';

-- append_parts begins, continues and ends streamed messages. One call has at most one item for each message.
-- +goose StatementBegin
create function append_parts(
  chat_ids uuid[],
  kinds text[], -- start, part, end
  message_ids uuid[],
  actor_ids text[],
  actor_names text[],
  client_message_ids text[], -- of a start
  content_hashes bytea[],
  first_parts integer[], -- of a part: the number of the first of its texts
  texts jsonb[], -- arrays of texts: of a start, the first text; of a part, one text for each number
  states text[], -- of an end: complete, cancelled
  idles interval[], -- of an end: only if the sender was not heard for so long; null: always
  service_positions integer[],
  sending_roles text[],
  max_chars integer,
  wait_ms integer
) returns table (
  outcome text, chat_type text, change_seq bigint, changed_at timestamptz, stream_id uuid, accepted_part integer, chars_before integer, added text,
  chat_id uuid, seq bigint, update_seq bigint, id uuid, sender_id text, sender_name text, client_message_id text, text text, system jsonb,
  created_at timestamptz, edited_at timestamptz, deleted_at timestamptz, deleted_by text, hidden boolean, data jsonb, streaming text
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
    from unnest(chat_ids, kinds, message_ids, actor_ids, actor_names, client_message_ids, content_hashes, first_parts, texts, states, idles)
      with ordinality as i (chat_id, kind, message_id, actor_id, actor_name, client_message_id, content_hash, first_part, texts, state, idle, position)
  ),
  found as (
    select i.*, c.id is not null as has_chat, c.type as chat_type, c.last_seq, m.role, prior.id as prior_id, prior.content_hash as prior_hash,
      prior.seq as prior_seq, prior.created_at as prior_at, prior.last_part as prior_part, t.seq as message_seq, t.sender_id, t.hidden, t.deleted_at, t.streaming, t.last_part, t.streamed_at,
      t.streamed_seq, char_length(coalesce(t.text, '')) as chars_before,
      case i.kind when 'start' then 0 when 'part' then i.first_part + (jsonb_array_length(i.texts) - 1) else t.last_part end as new_last_part,
      -- Without the parts that the message has already.
      coalesce((
        select string_agg(p.text, '' order by p.place) from jsonb_array_elements_text(i.texts) with ordinality as p (text, place)
        where i.kind = 'start' or i.first_part + p.place - 1 > t.last_part
      ), '') as added
    from input i
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.actor_id
    left join messages prior
      on i.kind = 'start' and prior.chat_id = i.chat_id and prior.sender_id = i.actor_id and prior.client_message_id = i.client_message_id
    left join messages t on i.kind <> 'start' and t.chat_id = i.chat_id and t.id = i.message_id
  ),
  judged as (
    select f.*,
      case
        when not has_chat then 'chat_not_found'
        when prior_id is not null then case when prior_hash is null or prior_hash = content_hash then 'repeated' else 'reused' end
        when f.chat_id <> all (locked_ids) then 'busy'
        when role is null and not as_service then 'not_a_member'
        when role <> all (sending_roles) and not as_service then 'role_too_low'
        when kind = 'start' then case when char_length(added) > max_chars then 'too_long' else 'stored' end
        when message_seq is null or hidden then 'message_not_found'
        when sender_id <> actor_id and not as_service then 'not_the_sender'
        when last_part is null then 'not_streaming'
        when kind = 'part' and new_last_part <= last_part then 'repeated'
        when deleted_at is not null then 'message_deleted'
        when kind = 'end' and coalesce(streaming, 'complete') = state then 'repeated'
        when streaming is distinct from 'streaming' then 'not_streaming'
        when kind = 'part' and first_part > last_part + 1 then 'part_missing'
        when kind = 'part' and chars_before + char_length(added) > max_chars then 'too_long'
        when kind = 'end' and streamed_at > committed_at - idle then 'not_idle'
        else 'stored'
      end as outcome
    from found f
  ),
  numbered as (
    select j.*, case when outcome = 'stored'
      then last_seq + row_number() over (partition by chat_id, outcome order by position) end as new_seq
    from judged j
  ),
  counted as (
    -- A new message moves its chat to the front of lists; what it grows by does not.
    update chats c set last_seq = n.last_seq, changed_at = case when n.starts then committed_at else c.changed_at end
    from (
      select chat_id, max(new_seq) as last_seq, bool_or(kind = 'start') as starts from numbered where outcome = 'stored' group by chat_id
    ) n
    where c.id = n.chat_id
  ),
  started as (
    insert into messages
      (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, created_at, streaming, last_part, streamed_at, streamed_seq)
    select chat_id, new_seq, new_seq, message_id, actor_id, actor_name, client_message_id, content_hash, added, committed_at, 'streaming', 0, committed_at, new_seq
    from numbered where outcome = 'stored' and kind = 'start' order by position
  ),
  inserted as (
    insert into changes (chat_id, seq, kind, message_seq, actor_id, created_at)
    select chat_id, new_seq, case kind when 'end' then 'stream_ended' else 'streamed' end, message_seq, actor_id, committed_at
    from numbered where outcome = 'stored' and kind <> 'start' order by position
  ),
  changed as (
    update messages m set
      update_seq = n.new_seq,
      text = m.text || n.added,
      streaming = case when n.kind = 'end' then nullif(n.state, 'complete') else m.streaming end,
      last_part = n.new_last_part,
      streamed_at = committed_at,
      streamed_seq = n.new_seq
    from numbered n
    where n.outcome = 'stored' and n.kind <> 'start' and m.chat_id = n.chat_id and m.seq = n.message_seq
    returning m.*, n.kind
  )
  select n.outcome, n.chat_type,
    coalesce(n.new_seq, n.prior_seq, n.streamed_seq), case n.outcome when 'stored' then committed_at else coalesce(n.prior_at, n.streamed_at) end,
    coalesce(n.prior_id, n.message_id),
    case n.outcome when 'stored' then n.new_last_part else coalesce(n.prior_part, n.last_part) end, n.chars_before, case n.kind when 'part' then n.added end,
    e.chat_id, e.seq, e.update_seq, e.id, e.sender_id, e.sender_name, e.client_message_id, e.text, e.system,
    e.created_at, e.edited_at, e.deleted_at, e.deleted_by, e.hidden, e.data, e.streaming
  from numbered n
  -- Readers who have the parts need the message only once more, when it is complete.
  left join changed e on e.kind = 'end' and e.chat_id = n.chat_id and e.seq = n.message_seq
  order by n.position;
end
$$;
-- +goose StatementEnd

-- streaming_of returns that column as the statements before have left it: a volatile function has a snapshot of its own.
-- +goose StatementBegin
create function streaming_of(of_chat uuid, of_seq bigint) returns text
language sql volatile
as $$
  select streaming from messages where chat_id = of_chat and seq = of_seq
$$;
-- +goose StatementEnd

-- +goose Down
drop function streaming_of(uuid, bigint);
drop function append_parts(
  uuid[], text[], uuid[], text[], text[], text[], bytea[], integer[], jsonb[], text[], interval[], integer[], text[], integer, integer
);
drop index messages_streaming;
alter table messages drop constraint messages_edited_once_complete;
alter table messages drop column streaming, drop column last_part, drop column streamed_at, drop column streamed_seq;
