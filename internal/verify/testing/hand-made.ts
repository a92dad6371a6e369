import { membership } from '../checker/checker.ts';
import type {
  CallRecord,
  CloseRecord,
  Effect,
  HistoryRecord,
  MessageRecord,
  OpenRecord,
  SendRecord,
  SystemNews,
} from '../history/history-record.ts';

type Place = Pick<MessageRecord, 'seq' | 'updateSeq' | 'id' | 'sender' | 'clientMessageId' | 'text' | 'system'>;

/** Builds a history of one chat. Every step takes ten milliseconds. */
export class HandMade {
  readonly records: HistoryRecord[] = [];
  /** The chat's messages, from the first. */
  readonly chat: Place[] = [];
  now = 0;
  #readers = 0;

  constructor({ members = ['ann', 'bob'], faultsExpected = false } = {}) {
    const bounds = { deliveryMs: 1_000, revocationMs: 1_000 };
    this.#add({ kind: 'run', at: this.tick(), seed: 1, faultsExpected, bounds });
    const roles = Object.fromEntries(members.map((id, i) => [id, i === 0 ? ('OWNER' as const) : ('MEMBER' as const)]));
    this.#add({ kind: 'chat', at: this.tick(), begin: this.now, chatId: 'c', type: 'GROUP', members: roles });
    this.place({ sender: members[0]!, system: { event: 'chatCreated', users: [] } });
  }

  tick(ms = 10): number {
    this.now += ms;
    return this.now;
  }

  /** Adds a message to the chat; no client receives it. */
  place(message: Partial<Place> & { system?: SystemNews }): Place {
    const seq = message.seq ?? this.chat.length + 1;
    const placed = { seq, updateSeq: seq, id: `m${seq}`, sender: 'ann', clientMessageId: '', text: '', ...message };
    this.chat.push(placed);
    return placed;
  }

  /** An attempt that stored its message and was acknowledged. */
  send(user: string, clientMessageId: string, rest: Partial<SendRecord> = {}): Place {
    const text = rest.text ?? `${clientMessageId} of ${user}`;
    const placed = this.place({ sender: user, clientMessageId, text });
    this.attempt(user, clientMessageId, { outcome: 'ok', messageId: placed.id, seq: placed.seq, ...rest });
    return placed;
  }

  /** An attempt with the given outcome; adds nothing to the chat. */
  attempt(user: string, clientMessageId: string, rest: Partial<SendRecord>): void {
    const begin = rest.begin ?? this.tick();
    this.#add({
      kind: 'send',
      begin,
      firstBegin: begin,
      at: this.tick(),
      client: user,
      user,
      via: 'grpc',
      chatId: 'c',
      clientMessageId,
      text: `${clientMessageId} of ${user}`,
      outcome: 'unknown',
      ...rest,
    });
  }

  call(user: string, name: string, rest: Partial<CallRecord> = {}): void {
    const record = { client: user, user, via: 'grpc', chatId: 'c', effects: [], outcome: 'ok' as const, ...rest };
    this.#add({ kind: 'call', name, begin: this.tick(), at: this.tick(), ...record });
  }

  /** Removes a user from the chat: a call and a system message. */
  remove(user: string): Place {
    const placed = this.place({ system: { event: 'memberRemoved', users: [user] } });
    this.call('ann', 'removeMember', { effects: [this.effect('withdraw', user)] });
    return placed;
  }

  addMember(user: string): Place {
    const placed = this.place({ system: { event: 'membersAdded', users: [user] } });
    this.call('ann', 'addMembers', { effects: [this.effect('grant', user)] });
    return placed;
  }

  effect(kind: Effect['kind'], user: string): Effect {
    return { kind, right: membership('c', user) };
  }

  /** Opens a reader; returns its name. */
  open(user: string, rest: Partial<OpenRecord> = {}): string {
    this.#readers += 1;
    const reader = `${user}/${this.#readers}`;
    const base = { source: 'live' as const, client: user, user, via: 'grpc', chatId: 'c', afterSeq: 0 };
    this.#add({ kind: 'open', reader, begin: this.now, at: this.tick(), ...base, ...rest });
    return reader;
  }

  /** A reader receives these messages. */
  give(reader: string, messages: readonly Place[]): void {
    for (const message of messages) this.#add({ kind: 'message', at: this.tick(1), reader, ...message });
  }

  reached(reader: string, seq: number, begin = this.now, complete = true): void {
    this.#add({ kind: 'reached', at: this.tick(), reader, seq, begin, complete });
  }

  close(reader: string, why: CloseRecord['why'] = 'client'): void {
    this.#add({ kind: 'close', at: this.tick(), reader, why });
  }

  /** Ann reads the whole chat at the end of the run, and receives these messages. */
  audit(messages: readonly Place[] = this.chat): void {
    const reader = this.open('ann', { source: 'audit' });
    this.give(reader, messages);
    this.reached(reader, messages.at(-1)!.seq);
    this.close(reader);
  }

  add(record: HistoryRecord): void {
    this.#add(record);
  }

  #add(record: HistoryRecord): void {
    this.records.push(record);
  }
}
