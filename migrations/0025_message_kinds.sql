-- +goose Up

-- Null: an ordinary message, which costs nothing.
alter table messages
  add column type text,
  add column silent boolean,
  -- The message that this one replies to.
  add column reply_to_seq bigint,
  add column reply_to_id uuid,
  -- The first message of the thread that this one is in. It is in no thread itself.
  add column root_seq bigint,
  add column root_id uuid;

create index messages_thread on messages (chat_id, root_seq, seq) where root_seq is not null;

-- find_references returns, for each message of a batch, the number of the message that it replies to, and the number and id of its thread's first message.
-- Null for a message that nobody may refer to, and if there is none. The arrays are null if no message refers to another.
-- +goose StatementBegin
create function find_references(
  chat_ids uuid[], contents jsonb[], also_hidden boolean, out reply_seqs bigint[], out root_seqs bigint[], out root_ids uuid[]
)
language sql stable
as $$
  select array_agg(reply.seq order by i.position), array_agg(root.seq order by i.position), array_agg(root.id order by i.position)
  from unnest(chat_ids, contents) with ordinality as i (chat_id, content, position)
  left join messages reply
    on reply.chat_id = i.chat_id and reply.id = (i.content ->> 'reply_to_id')::uuid
    and reply.system is null and (also_hidden or not reply.hidden)
  left join messages named
    on named.chat_id = i.chat_id and named.id = (i.content ->> 'root_id')::uuid
    and named.system is null and (also_hidden or not named.hidden)
  left join messages root
    on root.chat_id = named.chat_id and root.seq = coalesce(named.root_seq, named.seq) and (also_hidden or not root.hidden)
  having bool_or(i.content ?| array['reply_to_id', 'root_id'])
$$;
-- +goose StatementEnd

-- append_messages as before, but with the optional fields of each message as one object: type, silent, data, reply_to_id, root_id. A later field is another key.
-- Only a batch with such a message looks for references. If they are required, a message whose reference nobody may refer to is refused; if not, it is stored
-- without. Those with fewer parameters stay for nodes of the version before.
-- +goose StatementBegin
create function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  contents jsonb[], -- null: an ordinary text; null as a whole: all are
  sending_roles text[],
  service_positions integer[],
  references_required boolean,
  wait_ms integer
) returns table (
  outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz, reply_to_seq bigint, root_id uuid
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
  reply_seqs bigint[];
  root_seqs bigint[];
  root_ids uuid[];
begin
  if cardinality(array_remove(contents, null)) > 0 then
    select f.reply_seqs, f.root_seqs, f.root_ids into reply_seqs, root_seqs, root_ids
    from find_references(chat_ids, contents, not references_required) f;
  end if;
  return query
  with input as (
    select *
    from unnest(
      chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts, contents, reply_seqs, root_seqs, root_ids
    ) with ordinality as t (
      chat_id, id, sender_id, sender_name, client_message_id, content_hash, text, content, reply_to_seq, root_seq, root_id, position
    )
  ),
  judged as (
    select i.*, c.type as chat_type, c.last_seq, prior.id as prior_id, prior.seq as prior_seq, prior.created_at as prior_at,
      case
        when c.id is null then 'chat_not_found'
        when prior.id is not null then
          case when prior.content_hash is null or prior.content_hash = i.content_hash then 'repeated' else 'reused' end
        when c.id <> all (locked_ids) then 'busy'
        when m.role is null and i.position <> all (service_positions) then 'not_a_member'
        when m.role <> all (sending_roles) and i.position <> all (service_positions) then 'role_too_low'
        when i.content ? 'reply_to_id' and i.reply_to_seq is null and references_required then 'reply_not_found'
        when i.content ? 'root_id' and i.root_seq is null and references_required then 'root_not_found'
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
    insert into messages (
      chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, data, created_at,
      type, silent, reply_to_seq, reply_to_id, root_seq, root_id
    )
    select chat_id, new_seq, new_seq, id, sender_id, sender_name, client_message_id, content_hash, text, content -> 'data', committed_at,
      content ->> 'type', (content -> 'silent')::boolean,
      reply_to_seq, case when reply_to_seq is not null then (content ->> 'reply_to_id')::uuid end, root_seq, root_id
    from numbered where outcome = 'stored' order by position
  ),
  counted as (
    update chats c set last_seq = n.last_seq, changed_at = committed_at
    from (select chat_id, max(new_seq) as last_seq from numbered where outcome = 'stored' group by chat_id) n
    where c.id = n.chat_id
  )
  select n.outcome, n.chat_type, coalesce(n.prior_id, n.id), coalesce(n.prior_seq, n.new_seq),
    coalesce(n.prior_at, committed_at), n.reply_to_seq, n.root_id
  from numbered n order by n.position;
end
$$;
-- +goose StatementEnd

-- A message was accepted before it is written here, so it is stored in any case: without a reference to what is not in the chat.
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
  contents jsonb[],
  wait_ms integer
) returns table (
  outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz, reply_to_seq bigint, root_id uuid
)
language plpgsql
as $$
#variable_conflict use_column
begin
  -- Before the messages: a writer that has lost the partition must not write.
  perform ingest.move(writer, of_partition, from_position, to_position);
  return query
  with appended as materialized (
    select * from append_messages(
      chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts, contents,
      array[]::text[], array(select generate_series(1, cardinality(chat_ids))), false, wait_ms
    ) with ordinality as a (outcome, chat_type, message_id, seq, created_at, reply_to_seq, root_id, place)
  ),
  moved_back as materialized (
    select ingest.move(writer, of_partition, to_position, from_position)
    where exists (select from appended where outcome in ('busy', 'reused'))
  )
  select a.outcome, a.chat_type, a.message_id, a.seq, a.created_at, a.reply_to_seq, a.root_id
  from appended a left join moved_back on true order by a.place;
end
$$;
-- +goose StatementEnd

-- What is known of the threads that have had messages. Triggers keep it, so that no writer can forget it, nor a node of the version before.
create table threads (
  chat_id uuid not null,
  root_seq bigint not null,
  reply_count integer not null, -- without deleted ones
  last_seq bigint not null, -- of those that are not deleted; 0 if there is none
  last_at timestamptz,
  update_seq bigint not null, -- the number of the last change that is counted
  participants text[] not null, -- the ids of the users that sent the first ones, at most 5
  primary key (chat_id, root_seq)
) with (fillfactor = 60); -- each message updates the row: leave room for the new version on the same page

-- Who follows which thread, and how far they have read it.
create table thread_follows (
  chat_id uuid not null,
  user_id text not null,
  root_seq bigint not null,
  read_seq bigint not null,
  followed_at timestamptz not null default clock_timestamp(),
  primary key (chat_id, user_id, root_seq)
);

create index thread_follows_user on thread_follows (user_id);

-- +goose StatementBegin
create function count_reply() returns trigger
language plpgsql
as $$
begin
  -- Members follow: the sender of the root from the first message on, and each sender of one from that one on.
  insert into thread_follows (chat_id, user_id, root_seq, read_seq)
  select new.chat_id, m.user_id, new.root_seq, f.read_seq
  from (
    select new.sender_id as user_id, new.seq as read_seq
    union all
    select r.sender_id, new.root_seq from messages r
    where r.chat_id = new.chat_id and r.seq = new.root_seq and r.sender_id <> new.sender_id
      and not exists (select from threads t where t.chat_id = new.chat_id and t.root_seq = new.root_seq)
  ) f
  join members m on m.chat_id = new.chat_id and m.user_id = f.user_id
  on conflict do nothing;
  insert into threads as t (chat_id, root_seq, reply_count, last_seq, last_at, update_seq, participants)
  values (new.chat_id, new.root_seq, 1, new.seq, new.created_at, new.seq, array[new.sender_id])
  on conflict (chat_id, root_seq) do update set
    reply_count = t.reply_count + 1, last_seq = new.seq, last_at = new.created_at, update_seq = new.seq,
    participants = case
      when cardinality(t.participants) < 5 and new.sender_id <> all (t.participants) then t.participants || new.sender_id
      else t.participants
    end;
  return null;
end
$$;
-- +goose StatementEnd

create trigger reply_sent after insert on messages
for each row when (new.root_seq is not null and new.deleted_at is null) execute function count_reply();

-- +goose StatementBegin
create function discount_reply() returns trigger
language plpgsql
as $$
declare
  last_reply messages;
begin
  select * into last_reply from messages m
  where m.chat_id = new.chat_id and m.root_seq = new.root_seq and m.deleted_at is null order by m.seq desc limit 1;
  update threads t set
    reply_count = t.reply_count - 1, last_seq = coalesce(last_reply.seq, 0), last_at = last_reply.created_at, update_seq = new.update_seq,
    -- Only the end of a message of one of them can change who they are.
    participants = case
      when new.sender_id = any (t.participants) then array(
        select m.sender_id from messages m
        where m.chat_id = new.chat_id and m.root_seq = new.root_seq and m.deleted_at is null
        group by m.sender_id order by min(m.seq) limit 5
      )
      else t.participants
    end
  where t.chat_id = new.chat_id and t.root_seq = new.root_seq;
  return null;
end
$$;
-- +goose StatementEnd

create trigger reply_deleted after update of deleted_at on messages
for each row when (new.root_seq is not null and old.deleted_at is null and new.deleted_at is not null) execute function discount_reply();

-- +goose StatementBegin
create function end_follows() returns trigger
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  delete from thread_follows f using gone g where f.chat_id = g.chat_id and f.user_id = g.user_id;
  return null;
end
$$;
-- +goose StatementEnd

create trigger membership_ended after delete on members
referencing old table as gone for each statement execute function end_follows();

-- +goose Down
drop trigger membership_ended on members;
drop function end_follows;
drop trigger reply_deleted on messages;
drop function discount_reply;
drop trigger reply_sent on messages;
drop function count_reply;
drop table thread_follows, threads;
drop function ingest.append_messages(
  uuid, integer, bigint, bigint, uuid[], uuid[], text[], text[], text[], bytea[], text[], jsonb[], integer
);
drop function append_messages(
  uuid[], uuid[], text[], text[], text[], bytea[], text[], jsonb[], text[], integer[], boolean, integer
);
drop function find_references;
alter table messages
  drop column root_id, drop column root_seq, drop column reply_to_id, drop column reply_to_seq, drop column silent, drop column type;
