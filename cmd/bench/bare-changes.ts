import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { measureInTurns, type RequestLoad } from './in-turns.ts';

const inputs = `input as (
    select *, row_number() over (partition by chat_id order by place) as n
    from unnest($1::uuid[], $2::uuid[], $3::text[]) with ordinality as i (chat_id, id, client_id, place)
  ),
  counted as (
    update chats c set last_seq = c.last_seq + n.count
    from (select chat_id, count(*) from input group by chat_id) n
    where c.id = n.chat_id returning c.id, c.last_seq - n.count as last_seq
  )`;

const statements = {
  sends: `with ${inputs}
    insert into messages (chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, content_hash, text, created_at)
    select i.chat_id, c.last_seq + n, c.last_seq + n, i.id, 'guest:editor', 'editor', client_id, '\\x00', $4, now()
    from input i join counted c on c.id = i.chat_id`,
  edits: `with ${inputs},
    changed as (
      update messages m set update_seq = c.last_seq + n, text = $4, edited_at = now()
      from input i join counted c on c.id = i.chat_id
      where m.chat_id = i.chat_id and m.id = i.id
      returning m.chat_id, m.update_seq, m.seq, client_id
    )
    insert into changes (chat_id, seq, kind, message_seq, actor_id, client_change_id, digest, created_at)
    select chat_id, update_seq, 'edited', seq, 'guest:editor', client_id, '\\x00', now() from changed`,
};

/**
 * Returns PostgreSQL's processor time for each row of statements that write what the service writes for sends and edits, in batches of one for each of the
 * messages, but check nothing: no membership, no repetition, no condition.
 */
export async function measureBareChanges(
  dsn: string,
  messages: readonly { chatId: string; messageId: string }[],
  text: string,
  postgres: { cpuMicros(): number },
  load: Omit<RequestLoad, 'concurrency'>,
): Promise<{ sends: number; edits: number }> {
  const client = new pg.Client({ connectionString: dsn });
  await client.connect();
  try {
    // As the service's functions do.
    for (const scan of ['seqscan', 'hashjoin', 'mergejoin']) await client.query(`set enable_${scan} = off`);
    await client.query('set plan_cache_mode = force_generic_plan');
    const chatIds = messages.map(({ chatId }) => chatId);
    const run = (name: keyof typeof statements, ids: () => string[]) => () =>
      client.query({
        name,
        text: statements[name],
        values: [chatIds, ids(), chatIds.map(() => randomUUID()), text],
      });
    const own = messages.map(({ messageId }) => messageId);
    const ways = { sends: run('sends', () => own.map(() => randomUUID())), edits: run('edits', () => own) };
    const parts = { service: { cpuMicros: () => 0 }, postgres };
    const { sends, edits } = await measureInTurns(parts, ways, { ...load, concurrency: 1 });
    return {
      sends: sends.postgresMicros / messages.length,
      edits: edits.postgresMicros / messages.length,
    };
  } finally {
    await client.end();
  }
}
