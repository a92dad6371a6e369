-- +goose Up

-- Reactions of users to messages, in their newest state. Each change of one takes a number of its chat (`changes`, kind `reacted`). A reaction that was
-- taken back stays as a row, so that readers who missed it are told.
create table reactions (
  chat_id uuid not null,
  message_seq bigint not null,
  emoji text not null,
  user_id text not null,
  user_name text not null, -- at the time of the change
  active boolean not null,
  seq bigint not null, -- the number of its last change
  changed_at timestamptz not null,
  primary key (chat_id, message_seq, emoji, user_id)
);
create unique index reactions_seq on reactions (chat_id, seq);

-- How many users have a reaction, so that a page of messages needs no count.
create table reaction_counts (
  chat_id uuid not null,
  message_seq bigint not null,
  emoji text not null,
  count integer not null,
  seq bigint not null, -- the number of its last change
  first_seq bigint not null, -- the number with which the count was last raised from 0
  primary key (chat_id, message_seq, emoji)
);

-- A deleted message has no reactions, whichever version of append_changes deletes it. What has replaced them is their numbers, as covered changes.
-- +goose StatementBegin
create function wipe_reactions() returns trigger
language plpgsql
as $$
begin
  delete from reactions where chat_id = new.chat_id and message_seq = new.seq;
  delete from reaction_counts where chat_id = new.chat_id and message_seq = new.seq;
  return null;
end
$$;
-- +goose StatementEnd
create trigger wipe_reactions after update of deleted_at on messages
  for each row when (new.deleted_at is not null and old.deleted_at is null) execute function wipe_reactions();

-- append_reactions adds and removes reactions, in the order of the arrays. A batch must not contain two changes of one emoji of a message, nor two with one
-- client_change_id of an actor in a chat. Its settings are those of append_changes, for the same reasons.
-- +goose StatementBegin
create function append_reactions(
  chat_ids uuid[],
  message_ids uuid[],
  emojis text[],
  adds boolean[],
  actor_ids text[],
  actor_names text[],
  client_change_ids text[], -- null: none
  digests bytea[],
  service_positions integer[],
  reacting_roles text[],
  max_kinds integer, -- of a message
  wait_ms integer
) returns table (
  outcome text, chat_type text, change_seq bigint, changed_at timestamptz, message_seq bigint, count integer
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
    from unnest(chat_ids, message_ids, emojis, adds, actor_ids, actor_names, client_change_ids, digests)
      with ordinality as i (chat_id, message_id, emoji, added, actor_id, actor_name, client_change_id, digest, position)
  ),
  known as (
    select i.*, c.type as chat_type, c.last_seq, prior.seq as prior_seq, prior.created_at as prior_at, t.seq as message_seq,
      coalesce(k.count, 0) as old_count, k.first_seq as old_first_seq,
      case
        when c.id is null then 'chat_not_found'
        when prior.seq is not null then case when prior.digest is null or prior.digest = i.digest then 'repeated' else 'reused' end
        when c.id <> all (locked_ids) then 'busy'
        when m.role is null and not i.as_service then 'not_a_member'
        when m.role <> all (reacting_roles) and not i.as_service then 'role_too_low'
        when t.seq is null or t.hidden then 'message_not_found'
        when t.deleted_at is not null then 'message_deleted'
        when coalesce(r.active, false) = i.added then 'unchanged'
        when i.added and coalesce(k.count, 0) = 0 then 'new_kind'
        else 'stored'
      end as first_outcome
    from input i
    left join chats c on c.id = i.chat_id
    left join members m on m.chat_id = i.chat_id and m.user_id = i.actor_id
    left join changes prior
      on prior.chat_id = i.chat_id and prior.actor_id = i.actor_id and prior.client_change_id = i.client_change_id
    left join messages t on t.chat_id = i.chat_id and t.id = i.message_id
    left join reactions r
      on r.chat_id = t.chat_id and r.message_seq = t.seq and r.emoji = i.emoji and r.user_id = i.actor_id
    left join reaction_counts k on k.chat_id = t.chat_id and k.message_seq = t.seq and k.emoji = i.emoji
  ),
  judged as (
    select n.*, case
      when first_outcome <> 'new_kind' then first_outcome
      when (select count(*) from reaction_counts k where k.chat_id = n.chat_id and k.message_seq = n.message_seq and k.count > 0)
        + row_number() over (partition by chat_id, message_seq, first_outcome order by position) > max_kinds then 'reaction_limit'
      else 'stored'
    end as outcome
    from known n
  ),
  numbered as (
    select j.*, case when outcome = 'stored'
      then last_seq + row_number() over (partition by chat_id, outcome order by position) end as new_seq,
      old_count + case when added then 1 else -1 end as new_count
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
    select chat_id, new_seq, 'reacted', message_seq, actor_id, client_change_id, digest, committed_at
    from numbered where outcome = 'stored' order by position
  ),
  reacted as (
    insert into reactions (chat_id, message_seq, emoji, user_id, user_name, active, seq, changed_at)
    select chat_id, message_seq, emoji, actor_id, actor_name, added, new_seq, committed_at
    from numbered where outcome = 'stored' order by position
    on conflict (chat_id, message_seq, emoji, user_id) do update
      set user_name = excluded.user_name, active = excluded.active, seq = excluded.seq, changed_at = excluded.changed_at
  ),
  totalled as (
    insert into reaction_counts (chat_id, message_seq, emoji, count, seq, first_seq)
    select chat_id, message_seq, emoji, new_count, new_seq, case when old_count = 0 then new_seq else old_first_seq end
    from numbered where outcome = 'stored' order by position
    on conflict (chat_id, message_seq, emoji) do update
      set count = excluded.count, seq = excluded.seq, first_seq = excluded.first_seq
  )
  select n.outcome, n.chat_type, coalesce(n.prior_seq, n.new_seq), coalesce(n.prior_at, committed_at), n.message_seq, n.new_count
  from numbered n order by n.position;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop function append_reactions(
  uuid[], uuid[], text[], boolean[], text[], text[], text[], bytea[], integer[], text[], integer, integer
);
drop trigger wipe_reactions on messages;
drop function wipe_reactions();
drop table reaction_counts;
drop table reactions;
-- Numbers have no gaps: for a version that does not know reactions they are covered changes, as those whose state was replaced.
