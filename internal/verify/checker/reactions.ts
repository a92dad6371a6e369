import type { ReactRecord } from '../history/history-record.ts';
import type { Report } from './violation.ts';

/** All attempts of all clients to react to messages and to take reactions back. */
export class Reactions {
  /** By reaction, as `keyOf` names it, all attempts. */
  readonly #attempts = new Map<string, ReactRecord[]>();
  /** By user, chat and client change id, the first attempt that was acknowledged with a number. */
  readonly #byKey = new Map<string, ReactRecord>();
  /** Messages with kinds of reactions of which an attempt is open. */
  readonly #open = new Set<string>();
  /** By chat, the attempts whose answer was that the reaction already was as asked. */
  readonly #unchanged = new Map<string, ReactRecord[]>();
  #hasLost = false;
  acknowledged = 0;

  /** Adds an attempt, and compares its answer with earlier ones. */
  add(record: ReactRecord, report: Report): void {
    const key = keyOf(record);
    const attempts = this.#attempts.get(key);
    if (attempts) attempts.push(record);
    else this.#attempts.set(key, [record]);
    if (record.outcome === 'unknown') this.#open.add(`${record.messageId} ${record.emoji}`);
    if (record.outcome !== 'ok') return;
    const { chatId, user, clientChangeId, seq } = record;
    if (!seq) {
      this.#unchanged.set(chatId, [...(this.#unchanged.get(chatId) ?? []), record]);
      return;
    }
    const id = `${user} ${chatId} ${clientChangeId}`;
    const first = this.#byKey.get(id);
    if (first && first.seq !== seq)
      report('doubled', `${clientChangeId} is at ${first.seq} and ${seq}`, [first, record], chatId);
    if (first) return;
    this.acknowledged += 1;
    this.#byKey.set(id, record);
  }

  /** The database has lost changes: those that `survives` is false for may be made again. */
  lose(survives: (record: ReactRecord) => boolean): void {
    for (const [id, record] of this.#byKey) if (!survives(record)) this.#byKey.delete(id);
    this.#hasLost = true;
  }

  /** The first acknowledgement of each change in the chat. */
  ofChat(chatId: string): ReactRecord[] {
    return [...this.#byKey.values()].filter((record) => record.chatId === chatId);
  }

  /** The attempts in the chat whose answer was that the reaction already was as asked. */
  unchangedIn(chatId: string): readonly ReactRecord[] {
    return this.#unchanged.get(chatId) ?? [];
  }

  /** The attempts for this reaction of this user. */
  attemptsFor(reaction: { messageId: string; user: string; emoji: string }): readonly ReactRecord[] {
    return this.#attempts.get(keyOf(reaction)) ?? [];
  }

  /** Whether it is known which state each of the user's attempts has left: none is open, and the database has lost none. */
  isSettled(reaction: { messageId: string; user: string; emoji: string }): boolean {
    return !this.#hasLost && this.attemptsFor(reaction).every(({ outcome }) => outcome !== 'unknown');
  }

  /** Whether the number of users with a kind of reaction to a message is not known: an attempt is open, or the database has lost some. */
  isOpen(messageId: string, emoji: string): boolean {
    return this.#hasLost || this.#open.has(`${messageId} ${emoji}`);
  }
}

/** Names one user's reaction of one kind to one message. */
export function keyOf({ messageId, user, emoji }: { messageId: string; user: string; emoji: string }): string {
  return `${messageId} ${user} ${emoji}`;
}
