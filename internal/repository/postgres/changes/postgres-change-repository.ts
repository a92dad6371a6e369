import { type Kysely, sql } from 'kysely';
import type pg from 'pg';
import type { MessageVersion } from '../../../model/change.ts';
import type { ChatType } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Mention } from '../../../model/mention.ts';
import type { MessageData } from '../../../model/message.ts';
import type { Page } from '../../../model/page.ts';
import type { Changed, ChangeRepository, ChangeRules, NewChange } from '../../change-repository.ts';
import type { Reader } from '../../guard.ts';
import type { Database } from '../connection/database.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withMessageErrors, withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';
import { findMentionFaults } from '../messages/mention-faults.ts';
import { toStoredMentions } from '../messages/mention-json.ts';
import { type MessageRow, toJson, toMessage } from '../messages/message-row.ts';
import { setMentions } from '../messages/set-mentions.ts';

/**
 * Adds what append_changes does not return: what no change changes, and whether the message is streamed as the changes before have left it. The limit makes
 * PostgreSQL look up each message by its key.
 */
const appendStatement = {
  name: 'append_changes',
  text: `
    with changed as materialized (
      select a.*, m.*, case a.outcome when 'stored' then streaming_of(a.chat_id, a.seq) end as streaming, ($3::text[])[a.place] as kind, ($19::jsonb[])[a.place] as given
      from append_changes($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        $15 * interval '1 millisecond', $16 * interval '1 millisecond', $17, $18)
      with ordinality as a (
        outcome, chat_type, change_seq, changed_at, chat_id, seq, update_seq, id, sender_id, sender_name, client_message_id, text, system,
        created_at, edited_at, deleted_at, deleted_by, hidden, data, place
      )
      left join lateral (
        select type, silent, reply_to_seq, reply_to_id, root_id from messages where chat_id = a.chat_id and seq = a.seq limit 1
      ) m on true
    ),
    edited as (select outcome, chat_id, seq, coalesce(given, 'null') as list from changed where kind = 'edited'),
    ${setMentions('edited')}
    select changed.* from changed left join mentioned on true
    order by place`,
};

/** A row that append_changes returns; with the message if the change was stored. */
type ChangedRow = Omit<MessageRow, 'mentions'> & {
  outcome: Changed['outcome'];
  chat_type: ChatType | null;
  change_seq: number;
  changed_at: Date;
};

/** A version, or the message alone if it has none after the cursor. */
type VersionRow =
  | { version: number; text: string; data: MessageData | null; created_at: Date }
  | { version: null; text: null; data: null; created_at: null };

export class PostgresChangeRepository implements ChangeRepository {
  readonly #pool: pg.Pool;
  readonly #reads: Kysely<Tables>;
  readonly #epochs: Database['epochs'];

  constructor({ pool, reads, epochs }: Database) {
    this.#pool = pool;
    this.#epochs = epochs;
    this.#reads = reads;
  }

  appendBatch(batch: readonly NewChange[], rules: ChangeRules, lockWaitMs = 0): Promise<Changed[]> {
    return withMessageErrors(async () => {
      const candidates = batch.map(({ actorId, clientChangeId: clientId, change, ...rest }) => {
        const { mentions } = change.kind === 'edited' ? change : {};
        return { ...rest, actorId, clientId, mentions };
      });
      const faults = await findMentionFaults(this.#pool, 'changes', candidates, rules.sendingRoles);
      const passed = batch.filter((_, index) => !faults.has(index));
      const changed = passed.length > 0 || faults.size === 0 ? await this.#append(passed, rules, lockWaitMs) : [];
      return batch.map((_, index) => {
        const mentionFault = faults.get(index);
        return mentionFault ? { outcome: 'mention_refused', mentionFault } : changed.shift()!;
      });
    });
  }

  async #append(batch: readonly NewChange[], rules: ChangeRules, lockWaitMs: number): Promise<Changed[]> {
    // Before the statement: never later than that of the commit.
    const epoch = this.#epochs.current;
    const { rows } = await this.#pool.query<ChangedRow>({
      ...appendStatement,
      values: [
        batch.map(({ chatId }) => chatId),
        batch.map(({ messageId }) => messageId),
        batch.map(({ change }) => change.kind),
        batch.map(({ actorId }) => actorId),
        batch.map(({ clientChangeId }) => clientChangeId || null),
        batch.map(({ digest }) => digest),
        batch.map(({ change }) => (change.kind === 'edited' ? change.text : null)),
        batch.map(({ change }) => (change.kind === 'edited' ? toJson(change.data) : null)),
        batch.map(({ change }) => change.kind === 'deleted' && change.hide),
        batch.map(({ ifVersion }) => ifVersion ?? null),
        batch.map(({ change }) => (change.kind === 'deleted' ? change.reason : null)),
        batch.flatMap(({ asService }, index) => (asService ? [index + 1] : [])),
        rules.sendingRoles,
        rules.moderatingRoles,
        rules.editWindowMs || null,
        rules.deleteWindowMs || null,
        rules.keepVersions,
        lockWaitMs,
        batch.map(({ change }) => (change.kind === 'edited' ? toJsonMentions(change.mentions) : null)),
      ],
    });
    return rows.map((row, index) => toChanged(row, epoch, batch[index]!));
  }

  listVersions(
    { chatId, messageId, reader }: { chatId: string; messageId: string; reader: Reader },
    limit: number,
    after = 0,
  ): Promise<Page<MessageVersion, number>> {
    return withStorageErrors(async () => {
      const query = sql<VersionRow>`
        select v.version, v.text, v.data, v.created_at
        from messages m
        left join message_versions v on v.chat_id = m.chat_id and v.message_seq = m.seq and v.version > ${after}
        where m.chat_id = ${chatId} and m.id = ${messageId} and not m.hidden
        order by v.version limit ${limit + 1}`;
      const rows = await readInChat(this.#reads, chatId, query, reader);
      if (rows.length === 0) throw new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
      const versions = rows.flatMap(({ version, text, data, created_at }) =>
        version === null ? [] : [{ version, text, ...(data && { data }), createdAt: created_at }],
      );
      const items = versions.slice(0, limit);
      return { items, ...(versions.length > limit && { next: items.at(-1)?.version }) };
    });
  }
}

function toJsonMentions(mentions: readonly Mention[] | undefined): string | null {
  const stored = toStoredMentions(mentions);
  return stored ? JSON.stringify(stored) : null;
}

function toChanged(row: ChangedRow, epoch: string, { change }: NewChange): Changed {
  const { outcome, chat_type, change_seq: seq, changed_at: createdAt } = row;
  const mentions = change.kind === 'edited' ? (toStoredMentions(change.mentions) ?? null) : null;
  switch (outcome) {
    case 'stored':
      return { outcome, seq, createdAt, message: toMessage({ ...row, mentions }), epoch };
    case 'repeated':
    case 'already_deleted':
      return { outcome, seq, createdAt };
    default:
      return { outcome, ...(chat_type && { chatType: chat_type }) };
  }
}
