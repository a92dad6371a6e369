import type { SendRecord } from '../history/history-record.ts';
import type { Report } from './violation.ts';

/** What was tried under one client's id for a message. */
export interface Attempts {
  user: string;
  chatId: string;
  clientMessageId: string;
  /** When the first attempt began. */
  firstBegin: number;
  /** The first attempt that was acknowledged. */
  acknowledged?: SendRecord;
  /** The first one that was refused; a message that was never anything but refused must not be there. */
  refused?: SendRecord;
  /** Whether some attempt may have been carried out without a word. */
  open: boolean;
  /** What the message may say. */
  texts: string[];
}

/** Everything that the clients tried to send. */
export class Sends {
  readonly #byChat = new Map<string, Map<string, Attempts>>();
  acknowledged = 0;
  /** Whether messages are acknowledged before they have a number. */
  areNumberedLater = false;

  /** Messages of which nobody knows whether they are there. */
  get unknown(): number {
    let count = 0;
    for (const ofChat of this.#byChat.values())
      for (const { acknowledged, open } of ofChat.values()) if (open && !acknowledged) count += 1;
    return count;
  }

  ofChat(chatId: string): Attempts[] {
    return [...(this.#byChat.get(chatId)?.values() ?? [])];
  }

  /** Takes note; compares with what was answered before. */
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
      if (first.text !== text) report('id-reused', 'both were acknowledged', [first, record], chatId);
      else if (first.messageId !== record.messageId || differ(first.seq, record.seq))
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
      // The number follows with a later answer.
      if (!first?.seq && record.seq) attempts.acknowledged = { ...record, at: first?.at ?? record.at };
    }
    if (!attempts.texts.includes(text)) attempts.texts.push(text);
  }

  find(chatId: string, clientMessageId: string, user: string): Attempts | undefined {
    return this.#byChat.get(chatId)?.get(keyOf(user, clientMessageId));
  }

  /** Who tried to send a message with this id. */
  findOwner(chatId: string, clientMessageId: string): Attempts | undefined {
    return this.ofChat(chatId).find((attempts) => attempts.clientMessageId === clientMessageId);
  }

  #attempts({ user, chatId, clientMessageId, firstBegin }: SendRecord): Attempts {
    const ofChat = this.#byChat.get(chatId) ?? new Map<string, Attempts>();
    this.#byChat.set(chatId, ofChat);
    const key = keyOf(user, clientMessageId);
    const attempts = ofChat.get(key) ?? { user, chatId, clientMessageId, firstBegin, open: false, texts: [] };
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
