import type { SendRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Report } from './violation.ts';

/** All attempts of one user to send under one client message id. */
export interface Attempts {
  user: string;
  chatId: string;
  clientMessageId: string;
  /** When the first attempt began. */
  firstBegin: number;
  /** The first attempt that was acknowledged. */
  acknowledged?: SendRecord;
  /** The first attempt that was refused. If all were refused, the message must not be in the chat. */
  refused?: SendRecord;
  /** Whether the outcome of an attempt is unknown. */
  open: boolean;
  /** The contents that the message may have. */
  texts: string[];
  /** What the message refers to. */
  replyToId: string | undefined;
  rootId: string | undefined;
}

/** All attempts of all clients to send. */
export class Sends {
  readonly #byChat = new Map<string, Map<string, Attempts>>();
  /** Pairs of acknowledgements of one id with different contents. */
  readonly #reused: [SendRecord, SendRecord][] = [];
  acknowledged = 0;
  /** Whether messages are acknowledged before they have a number. */
  areNumberedLater = false;

  /** How many messages may or may not be in their chats. */
  get unknown(): number {
    let count = 0;
    for (const ofChat of this.#byChat.values())
      for (const { acknowledged, open } of ofChat.values()) if (open && !acknowledged) count += 1;
    return count;
  }

  ofChat(chatId: string): Attempts[] {
    return [...(this.#byChat.get(chatId)?.values() ?? [])];
  }

  /** Adds an attempt and compares its answer with earlier ones. */
  add(record: SendRecord, report: Report): void {
    const { chatId, text, outcome } = record;
    const attempts = this.#attempts(record);
    if (outcome === 'refused') {
      attempts.refused ??= record;
      return;
    }
    if (outcome === 'unknown') attempts.open = true;
    const first = attempts.acknowledged;
    if (outcome === 'ok' && first) {
      if (first.text !== text) this.#reused.push([first, record]);
      if (first.messageId !== record.messageId || differ(first.seq, record.seq))
        report(
          'retry-differs',
          `${first.messageId} at ${first.seq}, then ${record.messageId} at ${record.seq}`,
          [first, record],
          chatId,
        );
    }
    if (outcome === 'ok') {
      this.areNumberedLater ||= !record.seq;
      this.acknowledged += first ? 0 : 1;
      attempts.acknowledged ??= record;
      // A later answer may be the first to have the number.
      if (!first?.seq && record.seq) attempts.acknowledged = { ...record, at: first?.at ?? record.at };
    }
    if (!attempts.texts.includes(text)) attempts.texts.push(text);
  }

  /** The database has lost messages: those that `survives` is false for may or may not be in the chat, since they may be sent again. */
  lose(survives: (send: SendRecord) => boolean): void {
    for (const ofChat of this.#byChat.values())
      for (const attempts of ofChat.values()) {
        if (!attempts.acknowledged || survives(attempts.acknowledged)) continue;
        delete attempts.acknowledged;
        attempts.open = true;
      }
  }

  /** Reports ids that were used for different messages. Once a message is deleted, the service knows it by its id alone. */
  finish(changes: Changes, report: Report): void {
    for (const [first, record] of this.#reused)
      if (!changes.mayBeDeleted(first.messageId!))
        report('id-reused', 'both were acknowledged', [first, record], record.chatId);
  }

  find(chatId: string, clientMessageId: string, user: string): Attempts | undefined {
    return this.#byChat.get(chatId)?.get(keyOf(user, clientMessageId));
  }

  /** The attempts with this client message id, of any user. */
  findOwner(chatId: string, clientMessageId: string): Attempts | undefined {
    return this.ofChat(chatId).find((attempts) => attempts.clientMessageId === clientMessageId);
  }

  #attempts({ user, chatId, clientMessageId, firstBegin, replyToId, rootId }: SendRecord): Attempts {
    const ofChat = this.#byChat.get(chatId) ?? new Map<string, Attempts>();
    this.#byChat.set(chatId, ofChat);
    const key = keyOf(user, clientMessageId);
    const attempts = ofChat.get(key) ?? {
      user,
      chatId,
      clientMessageId,
      firstBegin,
      open: false,
      texts: [],
      replyToId,
      rootId,
    };
    ofChat.set(key, attempts);
    return attempts;
  }
}

function differ(a = 0, b = 0): boolean {
  return a !== 0 && b !== 0 && a !== b;
}

function keyOf(user: string, clientMessageId: string): string {
  return `${user} ${clientMessageId}`;
}
