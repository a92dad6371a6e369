import type pg from 'pg';
import type { ChatRole } from '../../../model/member.ts';
import type { Mention, MentionFault } from '../../../model/mention.ts';
import { everyoneMentioners } from '../../../model/operations.ts';
import type { NewMessage } from '../../message-repository.ts';
import { toStoredMentions } from './mention-json.ts';

/** A message or an edit that is to be written. */
interface Candidate {
  chatId: string;
  actorId: string;
  /** Identifies a repetition, which is answered as before even if members have left since. */
  clientId: string;
  asService: boolean;
  mentions: readonly Mention[] | undefined;
}

export function toCandidate({ chatId, sender, clientMessageId, asService = false, mentions }: NewMessage): Candidate {
  return { chatId, actorId: sender.id, clientId: clientMessageId, asService, mentions };
}

const priorIn = {
  messages:
    'select from messages p where p.chat_id = i.chat_id and p.sender_id = i.actor_id and p.client_message_id = i.client_id',
  changes:
    'select from changes p where p.chat_id = i.chat_id and p.actor_id = i.actor_id and p.client_change_id = i.client_id',
};

const statement = (kind: keyof typeof priorIn) => ({
  name: `find_mention_faults_of_${kind}`,
  text: `
    select i.place::integer - 1 as place, f.index, f.everyone
    from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::jsonb[])
      with ordinality as i (chat_id, actor_id, client_id, as_service, list, place)
    join chats c on c.id = i.chat_id
    left join members own on own.chat_id = i.chat_id and own.user_id = i.actor_id
    cross join lateral (
      select e.place::integer - 1 as index, e.mention ? 'everyone' as everyone
      from jsonb_array_elements(i.list) with ordinality as e (mention, place)
      where case when e.mention ? 'everyone'
        then not (i.as_service or own.role = any ($7))
        else not exists (select from members m where m.chat_id = i.chat_id and m.user_id = e.mention ->> 'user_id') end
      order by e.place limit 1
    ) f
    -- Others learn nothing about the members: they are refused for themselves.
    where (i.as_service or own.role = any ($6)) and not exists (${priorIn[kind]})`,
});

const statements = { messages: statement('messages'), changes: statement('changes') };

/**
 * Returns the first fault of each candidate that has one, by its place in the list. Asks the database only if somebody is mentioned. A membership that ends
 * between this and the commit does no harm: only members count mentions.
 */
export async function findMentionFaults(
  pool: pg.Pool,
  kind: keyof typeof priorIn,
  candidates: readonly Candidate[],
  sendingRoles: readonly ChatRole[],
): Promise<Map<number, MentionFault>> {
  const asked = candidates.flatMap((candidate, index) => {
    const list = toStoredMentions(candidate.mentions);
    return list ? [{ ...candidate, index, list: JSON.stringify(list) }] : [];
  });
  if (asked.length === 0) return new Map();
  const { rows } = await pool.query<{ place: number; index: number; everyone: boolean }>({
    ...statements[kind],
    values: [
      asked.map(({ chatId }) => chatId),
      asked.map(({ actorId }) => actorId),
      asked.map(({ clientId }) => clientId),
      asked.map(({ asService }) => asService),
      asked.map(({ list }) => list),
      sendingRoles,
      everyoneMentioners,
    ],
  });
  return new Map(
    rows.map(({ place, index, everyone }) => [
      asked[place]!.index,
      { why: everyone ? 'everyone_not_allowed' : 'not_a_member', index },
    ]),
  );
}
