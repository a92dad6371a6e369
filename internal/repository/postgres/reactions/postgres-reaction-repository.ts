import { type Kysely, sql } from 'kysely';
import type pg from 'pg';
import type { ChatType } from '../../../model/chat.ts';
import { ChatError } from '../../../model/errors.ts';
import type { Page } from '../../../model/page.ts';
import type { Reaction } from '../../../model/reaction.ts';
import type { Reader } from '../../guard.ts';
import type { NewReaction, Reacted, ReactionRepository, ReactionRules } from '../../reaction-repository.ts';
import type { Database } from '../connection/database.ts';
import { readInChat } from '../connection/read-in-chat.ts';
import { withMessageErrors, withStorageErrors } from '../connection/storage-error.ts';
import type { Tables } from '../connection/tables.ts';

const appendStatement = {
  name: 'append_reactions',
  text: 'select * from append_reactions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
};

/** A row that append_reactions returns. */
interface ReactedRow {
  outcome: Reacted['outcome'];
  chat_type: ChatType | null;
  change_seq: number;
  changed_at: Date;
  message_seq: number;
  count: number;
}

/** A reaction, or the message alone if it has none after the cursor. */
type ReactionRow =
  | { emoji: string; user_id: string; user_name: string; seq: number; changed_at: Date }
  | { emoji: null; user_id: null; user_name: null; seq: null; changed_at: null };

export class PostgresReactionRepository implements ReactionRepository {
  readonly #pool: pg.Pool;
  readonly #reads: Kysely<Tables>;
  readonly #epochs: Database['epochs'];

  constructor({ pool, reads, epochs }: Database) {
    this.#pool = pool;
    this.#reads = reads;
    this.#epochs = epochs;
  }

  appendBatch(batch: readonly NewReaction[], rules: ReactionRules, lockWaitMs = 0): Promise<Reacted[]> {
    return withMessageErrors(async () => {
      // Before the statement: never later than that of the commit.
      const epoch = this.#epochs.current;
      const { rows } = await this.#pool.query<ReactedRow>({
        ...appendStatement,
        values: [
          batch.map(({ chatId }) => chatId),
          batch.map(({ messageId }) => messageId),
          batch.map(({ emoji }) => emoji),
          batch.map(({ added }) => added),
          batch.map(({ actor }) => actor.id),
          batch.map(({ actor }) => actor.name),
          batch.map(({ clientChangeId }) => clientChangeId || null),
          batch.map(({ digest }) => digest),
          batch.flatMap(({ asService }, index) => (asService ? [index + 1] : [])),
          rules.reactingRoles,
          rules.maxKinds,
          lockWaitMs,
        ],
      });
      return rows.map((row, place) => toReacted(row, batch[place]!, epoch));
    });
  }

  list(
    { chatId, messageId, reader }: { chatId: string; messageId: string; reader: Reader },
    emoji: string | undefined,
    limit: number,
    after = 0,
  ): Promise<Page<Reaction, number>> {
    return withStorageErrors(async () => {
      const ofKind = emoji === undefined ? sql`` : sql`and r.emoji = ${emoji}`;
      const query = sql<ReactionRow>`
        select r.emoji, r.user_id, r.user_name, r.seq, r.changed_at
        from messages m
        left join reactions r
          on r.chat_id = m.chat_id and r.message_seq = m.seq and r.active and r.seq > ${after} ${ofKind}
        where m.chat_id = ${chatId} and m.id = ${messageId} and not m.hidden
        order by r.seq limit ${limit + 1}`;
      const rows = await readInChat(this.#reads, chatId, query, reader);
      if (rows.length === 0) throw new ChatError('MESSAGE_NOT_FOUND', 'there is no such message in this chat');
      const reactions = rows.flatMap((row) => (row.seq === null ? [] : toReaction(row)));
      const items = reactions.slice(0, limit);
      return { items, ...(reactions.length > limit && { next: items.at(-1)?.seq }) };
    });
  }
}

function toReaction(row: Extract<ReactionRow, { seq: number }>): Reaction {
  const user = { id: row.user_id, name: row.user_name };
  return { emoji: row.emoji, user, seq: row.seq, createdAt: row.changed_at };
}

function toReacted(row: ReactedRow, reaction: NewReaction, epoch: string): Reacted {
  const { outcome, change_seq: seq, changed_at: createdAt } = row;
  switch (outcome) {
    case 'stored': {
      const { chatId, messageId, emoji, added, actor: user } = reaction;
      const count = { emoji, count: row.count, seq };
      const change = { chatId, messageId, messageSeq: row.message_seq, seq, user, emoji, added, createdAt, count };
      return { outcome, change, epoch };
    }
    case 'repeated':
      return { outcome, seq, createdAt };
    case 'unchanged':
      return { outcome };
    default:
      return { outcome, ...(row.chat_type && { chatType: row.chat_type }) };
  }
}
