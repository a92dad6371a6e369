import type { ChangeRecord } from '../history/history-record.ts';
import type { Report } from './violation.ts';

/** All attempts of all clients to edit and to delete messages. */
export class Changes {
  /** By message id, the attempts that were not refused, and those that were. */
  readonly #made = new Map<string, ChangeRecord[]>();
  readonly #refused = new Map<string, ChangeRecord[]>();
  /** By user, chat and client change id, the first attempt that was acknowledged. */
  readonly #byKey = new Map<string, ChangeRecord>();
  readonly #byChat = new Map<string, ChangeRecord[]>();
  /** Pairs of acknowledgements of one id for different changes. */
  readonly #reused: [ChangeRecord, ChangeRecord][] = [];
  readonly #openChats = new Set<string>();
  #hasLost = false;
  acknowledged = 0;

  /** Adds an attempt, and compares its answer with earlier ones. */
  add(record: ChangeRecord, report: Report): void {
    const { outcome, chatId, messageId, user, clientChangeId } = record;
    append(outcome === 'refused' ? this.#refused : this.#made, messageId, record);
    if (outcome !== 'ok') {
      if (outcome === 'unknown') this.#openChats.add(chatId);
      return;
    }
    const key = `${user} ${chatId} ${clientChangeId}`;
    const first = clientChangeId === '' ? undefined : this.#byKey.get(key);
    if (!first) {
      this.acknowledged += 1;
      this.#byKey.set(key, record);
      append(this.#byChat, chatId, record);
      return;
    }
    if (first.seq !== record.seq)
      report('doubled', `${clientChangeId} is at ${first.seq} and ${record.seq}`, [first, record], chatId);
    else if (!isSame(first, record)) this.#reused.push([first, record]);
  }

  /** The database has lost changes: those that `survives` is false for may or may not be in the chat, since they may be made again. */
  lose(survives: (change: ChangeRecord) => boolean): void {
    for (const [key, change] of this.#byKey) if (!survives(change)) this.#byKey.delete(key);
    for (const [chatId, changes] of this.#byChat) this.#byChat.set(chatId, changes.filter(survives));
    this.#hasLost = true;
  }

  /** The first acknowledgement of each change of the chat. */
  ofChat(chatId: string): readonly ChangeRecord[] {
    return this.#byChat.get(chatId) ?? [];
  }

  /** The attempts to change a message that were not refused. */
  ofMessage(messageId: string): readonly ChangeRecord[] {
    return this.#made.get(messageId) ?? [];
  }

  refusedOf(messageId: string): readonly ChangeRecord[] {
    return this.#refused.get(messageId) ?? [];
  }

  /** Whether the message may have been deleted. */
  mayBeDeleted(messageId: string): boolean {
    return this.ofMessage(messageId).some(({ what }) => what === 'delete');
  }

  /** Whether the message may have been hidden. */
  mayBeHidden(messageId: string): boolean {
    return this.ofMessage(messageId).some(({ hide }) => hide === true);
  }

  /** Whether the chat may have numbers of changes that nothing tells of: the outcome of a change is unknown, or is lost. */
  mayHaveMore(chatId: string): boolean {
    return this.#hasLost || this.#openChats.has(chatId);
  }

  /** Reports ids that were used for different changes. Once a message is deleted, the service knows its changes by their ids alone. */
  finish(report: Report): void {
    for (const [first, record] of this.#reused)
      if (!this.mayBeDeleted(first.messageId))
        report('id-reused', 'both were acknowledged', [first, record], record.chatId);
  }
}

function isSame(one: ChangeRecord, other: ChangeRecord): boolean {
  return (
    one.what === other.what && one.messageId === other.messageId && one.text === other.text && one.hide === other.hide
  );
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
