/** A command about the stream itself; the answer echoes `commandId`. All other commands are operations. */
export type Command = { commandId: string } & (
  | { kind: 'subscribe'; chatId: string; cursor?: Cursor }
  | { kind: 'subscribe_all'; cursors: ReadonlyMap<string, Cursor>; others: StartFrom }
  | { kind: 'unsubscribe'; chatId: string }
  | { kind: 'authenticate'; token: string }
  | { kind: 'ping' }
);

/** The highest number that a client has seen in a chat, and the epoch in which it has; '' is the present one. */
export interface Cursor {
  seq: number;
  epoch: string;
}

export type StartFrom = 'NOW' | 'JOINED' | 'BEGINNING';
