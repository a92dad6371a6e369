import type { SendRecord, StreamRecord } from '../history/history-record.ts';

/** What the clients have written of one streamed message. */
interface Written {
  chatId: string;
  /** The beginning of the text. */
  start: string;
  /** By number, from 1, the parts that were not refused. */
  parts: Map<number, string>;
  /** By number of the part, 0 for the end: when it was first attempted. */
  firstBegins: Map<number, number>;
  /** The first acknowledgements of parts and of the end. */
  acknowledged: StreamRecord[];
}

/** All attempts of all clients to write streamed messages. */
export class Streams {
  readonly #byId = new Map<string, Written>();
  /** By chat, user and client message id, the beginnings of the texts, also of those that nobody answered. */
  readonly #starts = new Map<string, string>();
  /** Whether the database has gone back: it may lack parts that were acknowledged. */
  hasLost = false;
  acknowledged = 0;

  begin({ messageId, chatId, user, clientMessageId, text, outcome, streamed }: SendRecord): void {
    if (streamed) this.#starts.set(`${chatId} ${user} ${clientMessageId}`, text);
    if (!streamed || outcome !== 'ok' || !messageId || this.#byId.has(messageId)) return;
    this.#byId.set(messageId, { chatId, start: text, parts: new Map(), firstBegins: new Map(), acknowledged: [] });
  }

  add(record: StreamRecord): void {
    const { messageId, part, text = '', outcome } = record;
    const written = this.#byId.get(messageId);
    if (!written) return;
    if (part !== undefined && outcome !== 'refused') written.parts.set(part, text);
    const firstBegin = written.firstBegins.get(part ?? 0) ?? record.begin;
    written.firstBegins.set(part ?? 0, firstBegin);
    if (outcome !== 'ok' || written.acknowledged.some((one) => one.part === part)) return;
    this.acknowledged += 1;
    written.acknowledged.push({ ...record, firstBegin });
  }

  /** The database has lost changes: those that `survives` is false for may or may not be in the chat. */
  lose(survives: (record: StreamRecord) => boolean): void {
    this.hasLost = true;
    for (const written of this.#byId.values()) written.acknowledged = written.acknowledged.filter(survives);
  }

  /** The ids of the chat's streamed messages. */
  ofChat(chatId: string): string[] {
    return [...this.#byId].flatMap(([id, written]) => (written.chatId === chatId ? [id] : []));
  }

  acknowledgedIn(chatId: string): StreamRecord[] {
    return this.ofChat(chatId).flatMap((id) => this.#byId.get(id)!.acknowledged);
  }

  acknowledgedOf(messageId: string): readonly StreamRecord[] {
    return this.#byId.get(messageId)?.acknowledged ?? [];
  }

  /** Returns the text of the message with its parts up to a number; by default as far as they were written. */
  textOf(messageId: string, parts = Number.POSITIVE_INFINITY): string | undefined {
    const written = this.#byId.get(messageId);
    if (!written) return undefined;
    let text = written.start;
    for (let part = 1; part <= parts && written.parts.has(part); part += 1) text += written.parts.get(part);
    return text;
  }

  /** The beginning of a streamed message whose writer may not have learned its id; undefined if it is none. */
  startOf(
    chatId: string,
    { sender, clientMessageId }: { sender: string; clientMessageId: string },
  ): string | undefined {
    return this.#starts.get(`${chatId} ${sender} ${clientMessageId}`);
  }

  /** Whether the message may have had this text while it grew. */
  explains(messageId: string, text: string): boolean {
    return this.textOf(messageId)?.startsWith(text) ?? false;
  }
}
