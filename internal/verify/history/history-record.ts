/** What a client knows about one of its attempts. `unknown`: the service may have carried it out, may do so later, or never. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** All times are milliseconds by one monotonic clock, with fractions. */
interface Timed {
  /** When the operation ended, or when the client saw the thing. */
  at: number;
}

/** An operation that takes time. */
interface Interval extends Timed {
  begin: number;
  /** The name of the client in this run, and the id of its user. */
  client: string;
  user: string;
  /** The transport: `grpc`, `ws-proto`, `ws-json`, `sse`, `sdk-grpc`, `sdk-ws`. */
  via: string;
  outcome: Outcome;
  /** The error's code and the service's reason; absent when the outcome is `ok`. */
  code?: string;
  reason?: string;
}

/** The first record of a history. */
export interface RunRecord extends Timed {
  kind: 'run';
  seed: number;
  /** Whether connections may break without a reason, because the run injects faults or the deployment is under repair. */
  faultsExpected: boolean;
  /** The longest allowed delays, in milliseconds. */
  bounds: { deliveryMs: number; revocationMs: number };
}

/** One attempt to edit or delete a message. Each retry is a record of its own. */
export interface ChangeRecord extends Interval {
  kind: 'change';
  what: 'edit' | 'delete';
  chatId: string;
  messageId: string;
  /** Empty for a deletion without one. */
  clientChangeId: string;
  /** The new text of an edit. */
  text?: string;
  /** Whether the deletion hides the message. */
  hide?: boolean;
  ifVersion?: number;
  /** Whether the user is an administrator of the service, who may delete every message. */
  byAdmin?: boolean;
  /** When the first attempt with this client change id began. */
  firstBegin: number;
  /** The number of the change, from the answer. */
  seq?: number;
}

/** One attempt to react to a message, or to take a reaction back. Each retry is a record of its own. */
export interface ReactRecord extends Interval {
  kind: 'react';
  chatId: string;
  messageId: string;
  emoji: string;
  added: boolean;
  clientChangeId: string;
  /** When the first attempt with this client change id began. */
  firstBegin: number;
  /** The number of the change, from the answer; 0: it changed nothing. */
  seq?: number;
}

/** One attempt to send a message. Each retry is a record of its own. */
export interface SendRecord extends Interval {
  kind: 'send';
  chatId: string;
  clientMessageId: string;
  text: string;
  /** When the first attempt with this client message id began. */
  firstBegin: number;
  messageId?: string;
  /** The ids of the message that it replies to and of the one whose thread it joins. */
  replyToId?: string;
  rootId?: string;
  /** 0: the service stored the message, and its number arrives with the message. */
  seq?: number;
  /** Present if it is the beginning of a streamed message. */
  streamed?: true;
}

/** One attempt to append a part to a streamed message, or to end it. Each retry is a record of its own. */
export interface StreamRecord extends Interval {
  kind: 'stream';
  chatId: string;
  messageId: string;
  /** The number and the text of the part. Absent: the end. */
  part?: number;
  text?: string;
  /** How the end was to leave the message. Absent: a part. */
  end?: 'complete' | 'cancelled';
  /** When the first attempt began, as far as the client knows. */
  firstBegin: number;
  /** The number of a change with which the message has the part, from the answer. */
  seq?: number;
}

/**
 * What an operation means for a right, by the right's name. `grant` and `withdraw` change it, `use` needs it, and `denied` says that the
 * service refused the operation because the user lacked it.
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
  /** A number that the chat had reached when the service answered. */
  head?: number;
  /** The chat's description when its last number was `head`. */
  description?: string;
  /** The user's read mark, from the answer. */
  readSeq?: number;
  /** How often the mark was moved back, from the answer. */
  readGeneration?: number;
  /** What the user was told when nobody acted any more: where the membership begins, and how many messages are unread and mention the user. */
  counts?: { joinedSeq: number; unread: number; mentions: number };
  /** All answers about one thing (the chat of a pair, the room of a name) must name the same chat. */
  same?: { thing: string; is: string };
}

/** The clients learned of a chat. */
export interface ChatRecord extends Timed {
  kind: 'chat';
  /** When the creating call began. */
  begin: number;
  chatId: string;
  type: 'DIRECT' | 'GROUP' | 'ROOM';
  /** The first members, by user id. Absent: the creator alone. */
  members?: Record<string, 'OWNER' | 'MEMBER'>;
}

/**
 * What a reader reads. `live` (a stream) and `changes` (ListChanges) give every number of a chat. `feed` (the SDK's), `page` (of ListMessages) and `audit`
 * (the whole chat at the end of the run) give messages alone, by `seq`, without hidden ones.
 */
export type Source = 'live' | 'changes' | 'feed' | 'page' | 'audit';

/** A reader begins. */
export interface OpenRecord extends Timed {
  kind: 'open';
  /** The reader's name, unique in the history. */
  reader: string;
  source: Source;
  client: string;
  user: string;
  via: string;
  chatId: string;
  /** When the client asked for it. */
  begin: number;
  /** The reader must receive everything after this number. */
  afterSeq: number;
  /** The epoch that the service named, and the one of `afterSeq` if the client named it. Present if `source` is `live`. */
  epoch?: string;
  cursorEpoch?: string;
}

/** A reader received a message, or a message that was changed. */
export interface MessageRecord extends Timed {
  kind: 'message';
  reader: string;
  seq: number;
  updateSeq: number;
  id: string;
  sender: string;
  clientMessageId: string;
  text: string;
  /** Present in a system message. */
  system?: SystemNews;
  /** Present if it came as a change: then its number is `updateSeq`, else `seq`. */
  changed?: true;
  /** Present if the message has been deleted. */
  deleted?: true;
  /** By kind, how many users have reacted. Present only if the reader asked for messages, and some have. */
  reactions?: Record<string, number>;
  replyTo?: { id: string; seq: number };
  /** The id of the first message of its thread. */
  root?: string;
  /** Present if the message counts as unread for nobody. */
  silent?: true;
}

/** A reader received that a user has reacted to a message, or has taken the reaction back. */
export interface ReactionRecord extends Timed {
  kind: 'reaction';
  reader: string;
  seq: number;
  messageId: string;
  user: string;
  emoji: string;
  added: boolean;
}

/** A reader received a part of a streamed message that it does not have. (With the part of one that it has, it has a changed message.) */
export interface GrownRecord extends Timed {
  kind: 'grown';
  reader: string;
  seq: number;
  id: string;
}

/** A client has read a whole thread in one answer. */
export interface ThreadRecord extends Timed {
  kind: 'thread';
  begin: number;
  client: string;
  user: string;
  chatId: string;
  /** The id of the first message. */
  root: string;
  /** What the first message says of the thread; absent if it says nothing. */
  says?: { replies: number; last: number; participants: string[] };
  /** The messages of the thread, in the order of the answer. */
  listed: { id: string; seq: number; sender: string; deleted?: true }[];
}

/** A reader received that later changes have replaced these numbers. */
export interface CoveredRecord extends Timed {
  kind: 'covered';
  reader: string;
  from: number;
  to: number;
}

/** The part of a system message that changes rights. */
export interface SystemNews {
  event: string;
  /** The ids of the users that it is about. */
  users: string[];
  role?: string;
  /** The new description of the chat, if it changed. */
  description?: string;
}

/**
 * The database has gone back: another one, which lacks the last numbers of some chats, has taken its place. Whoever replaced it has read this from the new
 * database: `begin` is when clients could no longer reach the old one, and `at` is before they could reach the new one.
 */
export interface EpochRecord extends Timed {
  kind: 'epoch';
  begin: number;
  /** The name of the new epoch. */
  epoch: string;
  /** By chat id, the last number that both databases share. The new one has no other chats. */
  chats: Record<string, number>;
}

/** A reader was told that the database has gone back: it forgets the numbers after `from`, and receives them again. */
export interface ResetRecord extends Timed {
  kind: 'reset';
  reader: string;
  epoch: string;
  from: number;
}

/** The service said, or a page showed, that a reader has everything up to a number. */
export interface ReachedRecord extends Timed {
  kind: 'reached';
  reader: string;
  seq: number;
  /** When the client asked for what ends at this number. */
  begin: number;
  /** Whether this number was the chat's last at that time. */
  complete: boolean;
}

/** A reader stopped reading for a while on purpose. The service is not to blame for the delays that follow. */
export interface StallRecord extends Timed {
  kind: 'stall';
  reader: string;
  begin: number;
}

/** A reader ends: closed by its client, ended by the service with a reason (`told`) or without one (`lost`), or at the end of the run. */
export interface CloseRecord extends Timed {
  kind: 'close';
  reader: string;
  why: 'client' | 'told' | 'lost' | 'end';
  detail?: string;
}

/** A client is connected again and has received everything that it missed. */
export interface ResumedRecord extends Timed {
  kind: 'resumed';
  client: string;
  begin: number;
  chats: number;
}

/** A fault injected from `begin` to `until` (default: `at`), or a time in which the clients' own process did not run. */
export interface FaultRecord extends Timed {
  kind: 'fault';
  begin: number;
  until?: number;
  what: string;
}

/** One line of a history. Records are in the order of `at`. */
export type HistoryRecord =
  | RunRecord
  | SendRecord
  | ChangeRecord
  | ReactRecord
  | CallRecord
  | ChatRecord
  | OpenRecord
  | MessageRecord
  | CoveredRecord
  | ReactionRecord
  | ResetRecord
  | EpochRecord
  | ReachedRecord
  | StallRecord
  | CloseRecord
  | ResumedRecord
  | FaultRecord
  | StreamRecord
  | GrownRecord
  | ThreadRecord;
