-- +goose Up

-- ingest.append_messages writes a batch of accepted messages and moves the position over them, in one transaction. They are stored whoever the chats'
-- members are by now: they were judged when they were accepted. If a message is `busy` or `reused`, the others are stored, and the position stays: the
-- writer then tries the first again, and sets the second aside. The time of a message is that of the database when it is written.
-- +goose StatementBegin
create or replace function ingest.append_messages(
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
  any_left boolean := false;
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
    any_left := any_left or outcome in ('busy', 'reused');
    return next;
  end loop;
  if any_left then
    perform ingest.move(writer, of_partition, to_position, from_position);
  end if;
end
$$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function ingest.append_messages(
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
