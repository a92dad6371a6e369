import { check, membership } from '../checker/checker.ts';
import type {
  CallRecord,
  ChangeRecord,
  CloseRecord,
  Effect,
  HistoryRecord,
  MessageRecord,
  OpenRecord,
  ReactionRecord,
  ReactRecord,
  SendRecord,
  SystemNews,
} from '../history/history-record.ts';

type Place = Pick<
  MessageRecord,
  | 'seq'
  | 'updateSeq'
  | 'id'
  | 'sender'
  | 'clientMessageId'
  | 'text'
  | 'system'
  | 'changed'
  | 'deleted'
  | 'replyTo'
  | 'root'
  | 'reactions'
  | 'silent'
>;
type PlacedReaction = Pick<ReactionRecord, 'seq' | 'messageId' | 'user' | 'emoji' | 'added'>;
/** What a reader receives: a message or a change, a reaction, or that numbers are covered. */
type Given = Place | PlacedReaction | { from: number; to: number };

/** Builds a history of one chat. Every step takes ten milliseconds. */
export class HandMade {
  readonly records: HistoryRecord[] = [];
  /** The chat's messages in their newest versions, from the first. */
  readonly chat: Place[] = [];
  /** What a live reader receives under each number. */
  readonly log: (Place | PlacedReaction)[] = [];
  readonly #hidden = new Set<string>();
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

  /** What a reader receives that begins after a number now. */
  since(seq: number): Given[] {
    return this.log.slice(seq).map((given, i) => {
      if ('emoji' in given) return this.#isReplaced(given) ? { from: given.seq, to: given.seq } : given;
      const newest = this.chat.find(({ id }) => id === given.id)!;
      const number = seq + i + 1;
      const isGone = given.changed ? newest.updateSeq !== number : this.#hidden.has(given.id);
      return isGone ? { from: number, to: number } : { ...newest, ...(given.changed && { changed: true as const }) };
    });
  }

  #isReplaced({ seq, messageId, user, emoji }: PlacedReaction): boolean {
    const isLater = (one: Place | PlacedReaction) =>
      'emoji' in one && one.seq > seq && one.messageId === messageId && one.user === user && one.emoji === emoji;
    return this.log.some(isLater) || this.chat.some(({ id, deleted }) => id === messageId && deleted);
  }

  /** The messages that pages contain, with their reactions. */
  get visible(): Place[] {
    return this.chat.filter(({ id }) => !this.#hidden.has(id)).map((one) => ({ ...one, ...this.#reactionsTo(one.id) }));
  }

  #reactionsTo(id: string): Pick<Place, 'reactions'> {
    const made = this.log.filter(
      (one) => 'emoji' in one && one.messageId === id && one.added && !this.#isReplaced(one),
    );
    const kinds = Object.groupBy(made as PlacedReaction[], ({ emoji }) => emoji);
    return { reactions: Object.fromEntries(Object.entries(kinds).map(([emoji, users]) => [emoji, users!.length])) };
  }

  /** Adds a message to the chat; no client receives it. */
  place(message: Partial<Place> & { system?: SystemNews }): Place {
    const seq = message.seq ?? this.log.length + 1;
    const placed = { seq, updateSeq: seq, id: `m${seq}`, sender: 'ann', clientMessageId: '', text: '', ...message };
    this.chat.push(placed);
    this.log.push(placed);
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

  /** Changes a message of the chat; no client receives it. Returns the change. */
  placeChange(message: Place, change: Partial<Place>, hide = false): Place {
    const seq = this.log.length + 1;
    const { changed: _, ...newest } = this.chat.find(({ id }) => id === message.id)!;
    const version = { ...newest, ...change, updateSeq: seq };
    this.chat.splice(
      this.chat.findIndex(({ id }) => id === message.id),
      1,
      version,
    );
    if (hide) this.#hidden.add(message.id);
    const placed = { ...version, changed: true as const };
    this.log.push(placed);
    return placed;
  }

  /** An edit that was stored and acknowledged. */
  edit(user: string, message: Place, clientChangeId: string, rest: Partial<ChangeRecord> = {}): Place {
    const text = rest.text ?? `${clientChangeId} of ${user}`;
    const placed = this.placeChange(message, { text });
    this.change(user, message, clientChangeId, { outcome: 'ok', seq: placed.updateSeq, ...rest });
    return placed;
  }

  /** A deletion that was stored and acknowledged. */
  delete(user: string, message: Place, clientChangeId: string, rest: Partial<ChangeRecord> = {}): Place {
    const placed = this.placeChange(message, { text: '', deleted: true }, rest.hide);
    this.change(user, message, clientChangeId, { what: 'delete', outcome: 'ok', seq: placed.updateSeq, ...rest });
    return placed;
  }

  /** An attempt to change a message with the given outcome; changes nothing. By default an edit. */
  change(user: string, { id: messageId }: Place, clientChangeId: string, rest: Partial<ChangeRecord>): void {
    const begin = rest.begin ?? this.tick();
    const what = rest.what ?? 'edit';
    this.#add({
      kind: 'change',
      what,
      begin,
      firstBegin: begin,
      at: this.tick(),
      client: user,
      user,
      via: 'grpc',
      chatId: 'c',
      messageId,
      clientChangeId,
      ...(what === 'edit' && { text: `${clientChangeId} of ${user}` }),
      outcome: 'unknown',
      ...rest,
    });
  }

  /** A reaction that was stored and acknowledged, or the removal of one. */
  react(user: string, { id: messageId }: Place, emoji: string, rest: Partial<ReactRecord> = {}): PlacedReaction {
    const placed = { seq: this.log.length + 1, messageId, user, emoji, added: rest.added ?? true };
    this.log.push(placed);
    this.attemptToReact(placed, { outcome: 'ok', seq: placed.seq, ...rest });
    return placed;
  }

  /** An attempt to react with the given outcome; changes nothing. */
  attemptToReact({ messageId, user, emoji, added }: Omit<PlacedReaction, 'seq'>, rest: Partial<ReactRecord>): void {
    const begin = rest.begin ?? this.tick();
    this.#add({
      ...{ kind: 'react', begin, firstBegin: begin, at: this.tick(), client: user, user, via: 'grpc', chatId: 'c' },
      ...{ messageId, emoji, added, clientChangeId: `${this.records.length}`, outcome: 'unknown', ...rest },
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

  /** Another database takes the place of this one, which has only the first `last` numbers of the chat, or lacks the chat. */
  goBack(last: number | undefined, epoch = 'second'): void {
    this.log.splice(last ?? 0);
    const kept = this.log.filter((one) => 'id' in one);
    const ids = new Set(kept.map(({ id }) => id));
    const newest = this.chat
      .filter(({ id }) => ids.has(id))
      .map(({ id }) => {
        const { changed: _, ...version } = kept.findLast((one) => one.id === id)!;
        return version;
      });
    this.chat.splice(0, Number.POSITIVE_INFINITY, ...newest);
    const begin = this.tick();
    this.#add({ kind: 'epoch', begin, at: this.tick(), epoch, chats: last === undefined ? {} : { c: last } });
  }

  reset(reader: string, from: number, epoch = 'second'): void {
    this.#add({ kind: 'reset', at: this.tick(), reader, epoch, from });
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
  give(reader: string, given: readonly Given[]): void {
    for (const one of given) {
      const at = this.tick(1);
      if ('from' in one) this.#add({ kind: 'covered', at, reader, ...one });
      else if ('emoji' in one) this.#add({ kind: 'reaction', at, reader, ...one });
      else this.#add({ kind: 'message', at, reader, ...one });
    }
  }

  reached(reader: string, seq: number, begin = this.now, complete = true): void {
    this.#add({ kind: 'reached', at: this.tick(), reader, seq, begin, complete });
  }

  close(reader: string, why: CloseRecord['why'] = 'client'): void {
    this.#add({ kind: 'close', at: this.tick(), reader, why });
  }

  /** Ann reads the whole chat at the end of the run, and receives these messages. */
  audit(messages: readonly Place[] = this.visible): void {
    const changes = this.open('ann', { source: 'changes' });
    this.give(changes, this.since(0));
    this.reached(changes, this.log.length);
    this.close(changes);
    this.auditMessages(messages);
  }

  /** As `audit`, but without the numbers of changes. */
  auditMessages(messages: readonly Place[] = this.visible): void {
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

/** The kinds of violation found in what the function writes. */
export function found(
  write: (history: HandMade) => void,
  options?: ConstructorParameters<typeof HandMade>[0],
): string[] {
  const history = new HandMade(options);
  write(history);
  return Object.keys(check(history.records).counts).sort();
}
