-- +goose Up

-- How far the messages that wait in a JetStream stream have been written, and who writes them.
create schema ingest;

-- The stream whose entries the positions below count. One row.
create table ingest.stream (
  only_one boolean primary key default true check (only_one),
  name text not null,
  created_at text not null, -- as JetStream tells it: a stream that was made anew counts from 1 again
  partitions integer not null
);

create table ingest.writers (
  id uuid primary key,
  seen_at timestamptz not null default clock_timestamp()
);

create table ingest.partitions (
  partition integer primary key,
  writer_id uuid, -- null: nobody writes it at the moment
  position bigint not null default 0, -- the number in the stream of the last entry that was dealt with
  moved_at timestamptz not null default clock_timestamp()
);

-- Entries that the database would not take, kept for the operator.
create table ingest.refused (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  partition integer not null,
  position bigint not null,
  reason text not null,
  body bytea not null
);

-- take_partitions says that a writer lives and shares the partitions out evenly among those who have lately said so. One that has more than its share
-- gives the rest back, and others take it when they call next. Answers with what the caller has now.
-- +goose StatementBegin
create function ingest.take_partitions(writer uuid, missing_after interval)
returns table (partition integer, "position" bigint)
language plpgsql
as $$
#variable_conflict use_column
declare
  share integer;
begin
  -- One at a time: a partition must not be taken by two at once.
  lock table ingest.writers in exclusive mode;
  insert into ingest.writers (id) values (writer) on conflict (id) do update set seen_at = clock_timestamp();
  -- While the database was away nobody could say anything.
  delete from ingest.writers
  where greatest(seen_at, pg_postmaster_start_time()) < clock_timestamp() - missing_after;

  select p.total / w.total + case when w.rank < p.total % w.total then 1 else 0 end into share
  from (select count(*)::integer as total from ingest.partitions) p,
    (select count(*)::integer as total, (count(*) filter (where id < writer))::integer as rank from ingest.writers) w;

  update ingest.partitions set writer_id = null
  where writer_id is not null and writer_id not in (select id from ingest.writers)
    or partition in (
      select partition from ingest.partitions where writer_id = writer order by partition offset share
    );
  update ingest.partitions set writer_id = writer
  where partition in (
    select partition from ingest.partitions where writer_id is null order by partition
    limit share - (select count(*) from ingest.partitions where writer_id = writer)
  );
  return query select partition, position from ingest.partitions where writer_id = writer order by partition;
end
$$;
-- +goose StatementEnd

-- move moves a partition's position, if the writer still has the partition and knows where it stands: whoever was paused and has lost it
-- fails here, and with it the transaction.
-- +goose StatementBegin
create function ingest.move(writer uuid, of_partition integer, from_position bigint, to_position bigint) returns void
language plpgsql
as $$
begin
  update ingest.partitions p set position = to_position, moved_at = clock_timestamp()
  where p.partition = of_partition and p.writer_id = writer and p.position = from_position;
  if not found then
    raise exception 'partition % is not at % in the hands of %', of_partition, from_position, writer using errcode = 'CI001';
  end if;
end
$$;
-- +goose StatementEnd

-- append_messages writes a batch of accepted messages and moves the position over them, in one transaction. They are stored whoever the chats' members
-- are by now: they were judged when they were accepted.
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
  accepted_ats timestamptz[]
) returns table (outcome text, chat_type text, message_id uuid, seq bigint, created_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  outcomes text[];
  chat_types text[];
  ids uuid[];
  seqs bigint[];
  times timestamptz[];
  any_late boolean;
begin
  perform ingest.move(writer, of_partition, from_position, to_position);
  select array_agg(a.outcome order by a.place), array_agg(a.chat_type order by a.place),
    array_agg(a.message_id order by a.place), array_agg(a.seq order by a.place),
    array_agg(
      -- What has waited long keeps the time at which it was accepted.
      case when a.outcome = 'stored' and accepted_ats[a.place] < a.created_at - interval '1 second'
        then accepted_ats[a.place] else a.created_at end
      order by a.place
    ),
    bool_or(a.outcome = 'stored' and accepted_ats[a.place] < a.created_at - interval '1 second')
  into outcomes, chat_types, ids, seqs, times, any_late
  from append_messages(
    chat_ids, message_ids, sender_ids, sender_names, client_message_ids, content_hashes, texts,
    array[]::text[],
    array(select generate_series(1, cardinality(chat_ids)))
  ) with ordinality as a (outcome, chat_type, message_id, seq, created_at, place);

  if any_late then
    update messages m set created_at = late.created_at
    from unnest(chat_ids, seqs, outcomes, times) as late (chat_id, seq, outcome, created_at)
    where late.outcome = 'stored' and m.chat_id = late.chat_id and m.seq = late.seq and m.created_at <> late.created_at;
  end if;
  return query select * from unnest(outcomes, chat_types, ids, seqs, times);
end
$$;
-- +goose StatementEnd

-- +goose Down
drop schema ingest cascade;
