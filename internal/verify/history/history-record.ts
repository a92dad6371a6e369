/** What a client knows of one of its own attempts. `unknown`: it may have been carried out, now or later, or not at all. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** Times are milliseconds of one monotonic clock, with fractions. */
interface Timed {
  /** When it was over, or when it was seen. */
  at: number;
}

/** An operation with a beginning. */
interface Interval extends Timed {
  begin: number;
  /** Who did it: a name of a client of the run, and the user's id. */
  client: string;
  user: string;
  /** The way to the service: `grpc`, `ws-proto`, `ws-json`, `sse`, `sdk-grpc`, `sdk-ws`. */
  via: string;
  outcome: Outcome;
  /** The code of the error and the service's reason, unless the outcome is `ok`. */
  code?: string;
  reason?: string;
}

/** The beginning of a history. */
export interface RunRecord extends Timed {
  kind: 'run';
  seed: number;
  /** Whether connections may be lost without a word: somebody is breaking things on purpose. */
  faultsExpected: boolean;
  /** How late something may come, in milliseconds. */
  bounds: { deliveryMs: number; revocationMs: number };
}

/** One attempt to send. An attempt again is a record of its own. */
export interface SendRecord extends Interval {
  kind: 'send';
  chatId: string;
  clientMessageId: string;
  text: string;
  /** When the first attempt with this id began. */
  firstBegin: number;
  messageId?: string;
  /** 0: stored, its number follows with the message. */
  seq?: number;
}

/**
 * What an operation does to a right, by the right's name. `grant` and `withdraw` are changes, `use` is something that only somebody with the
 * right can do, `denied` that the service refused for want of it.
 */
export interface Effect {
  kind: 'grant' | 'withdraw' | 'use' | 'denied';
  right: string;
}

/** Any other operation. */
export interface CallRecord extends Interval {
  kind: 'call';
  name: string;
  chatId?: string;
  effects: Effect[];
  /** A number that the chat had reached when the answer was made. */
  head?: number;
  /** The read mark in the answer. */
  readSeq?: number;
  /** Two answers about the same thing must name the same: a pair's chat, a room by its name. */
  same?: { thing: string; is: string };
}

/** A chat became known. */
export interface ChatRecord extends Timed {
  kind: 'chat';
  /** When whoever created it asked for it. */
  begin: number;
  chatId: string;
  type: 'DIRECT' | 'GROUP' | 'ROOM';
  /** The members it began with, by user id. Absent: whoever created it. */
  members?: Record<string, 'OWNER' | 'MEMBER'>;
}

/** Somebody begins to read a chat: on a stream, or a page of its history, or all of it when the run is over. */
export interface OpenRecord extends Timed {
  kind: 'open';
  /** Unique in the history. */
  reader: string;
  source: 'live' | 'page' | 'audit';
  client: string;
  user: string;
  via: string;
  chatId: string;
  /** When it was asked for. */
  begin: number;
  /** Everything after this number comes. */
  afterSeq: number;
}

/** A message came to a reader. */
export interface MessageRecord extends Timed {
  kind: 'message';
  reader: string;
  seq: number;
  updateSeq: number;
  id: string;
  sender: string;
  clientMessageId: string;
  text: string;
  /** What the service recorded. */
  system?: SystemNews;
}

/** Of a system message, what changes rights. */
export interface SystemNews {
  event: string;
  /** Whom it is about. */
  users: string[];
  role?: string;
}

/** A reader was told, or knows, that it has everything up to a number. */
export interface ReachedRecord extends Timed {
  kind: 'reached';
  reader: string;
  seq: number;
  /** When that was asked for. */
  begin: number;
  /** Whether nothing came after the number then. */
  complete: boolean;
}

/** A reader stopped for a while on purpose: what it gets after that is late without the service's doing. */
export interface StallRecord extends Timed {
  kind: 'stall';
  reader: string;
  begin: number;
}

/** A reader ends: by its client, by the service with a word, without one, or with the run. */
export interface CloseRecord extends Timed {
  kind: 'close';
  reader: string;
  why: 'client' | 'told' | 'lost' | 'end';
  detail?: string;
}

/** A client came back, and has everything it missed. */
export interface ResumedRecord extends Timed {
  kind: 'resumed';
  client: string;
  begin: number;
  chats: number;
}

/** Something is broken on purpose, from `begin` to `until` (`at` unless given); or the clients' own machine did not get to run. */
export interface FaultRecord extends Timed {
  kind: 'fault';
  begin: number;
  until?: number;
  what: string;
}

/** One line of a history. Records come in the order of `at`. */
export type HistoryRecord =
  | RunRecord
  | SendRecord
  | CallRecord
  | ChatRecord
  | OpenRecord
  | MessageRecord
  | ReachedRecord
  | StallRecord
  | CloseRecord
  | ResumedRecord
  | FaultRecord;
