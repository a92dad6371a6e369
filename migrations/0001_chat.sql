-- +goose Up

-- Users as their tokens name them, remembered so that others can be shown their names.
create table users (
  id text primary key,
  name text not null default '',
  -- Rises whenever the user joins or is taken out of a chat: open streams compare it to find what a lost hint did not tell.
  membership_version bigint not null default 0
);

create table chats (
  id uuid primary key,
  type text not null check (type in ('DIRECT', 'GROUP', 'ROOM')),
  name text not null default '',
  -- The two user ids of a direct chat, in order, as a JSON array.
  direct_key text check ((direct_key is not null) = (type = 'DIRECT')),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  -- The number of the chat's last change. Whoever changes anything durable of a chat holds this row's lock and takes the next.
  last_seq bigint not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  member_count integer not null default 0
) with (fillfactor = 60); -- each batch updates the row: leave room for the new version on the same page

create unique index chats_direct_key on chats (direct_key) where type = 'DIRECT';
create unique index chats_room_name on chats (name collate "C") where type = 'ROOM';

create table members (
  chat_id uuid not null,
  user_id text not null,
  role text not null check (role in ('READER', 'MEMBER', 'ADMIN', 'OWNER')),
  joined_seq bigint not null,
  joined_at timestamptz not null default clock_timestamp(),
  primary key (chat_id, user_id)
);

create index members_user on members (user_id);

create table messages (
  chat_id uuid not null,
  seq bigint not null,
  update_seq bigint not null,
  id uuid not null,
  sender_id text not null,
  sender_name text not null,
  client_message_id text, -- null for what the service recorded
  content_hash bytea,     -- of what was sent first: a repetition is compared with it, whatever became of the message
  text text not null,
  system jsonb,
  created_at timestamptz not null,
  primary key (chat_id, seq)
);

create unique index messages_client_message_id on messages (chat_id, sender_id, client_message_id) where client_message_id is not null;
create unique index messages_id on messages (chat_id, id);
-- Catching up reads rows by seq, and from here those few that changed after they were written.
create index messages_changed on messages (chat_id, update_seq) where update_seq <> seq;

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor_id text not null,
  action text not null,
  chat_id uuid,
  detail jsonb not null default '{}'
);

create index audit_log_chat on audit_log (chat_id, id);

-- append_messages commits a batch: one row of the answer for each message, in the order given.
--
-- It is a function because each statement in it sees what was committed before that statement began (READ COMMITTED): the
-- second one judges the batch by a state that nobody can change any more, as it runs under the locks that the first one took.
--
-- Its plan is made once for each connection: planning takes longer than committing one message. The plan must then suit tables
-- of any size, also one that was empty when it was made, and so it may look rows up by index only.
-- +goose StatementBegin
create function append_messages(
  chat_ids uuid[],
  message_ids uuid[],
  sender_ids text[],
  sender_names text[],
  client_message_ids text[],
  content_hashes bytea[],
  texts text[],
  sending_roles text[]
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
drop function append_messages;
drop table audit_log, messages, members, chats, users;
