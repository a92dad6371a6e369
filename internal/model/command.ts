/** A command about the stream itself; the answer echoes `commandId`. All other commands are operations. */
export type Command = { commandId: string } & (
  | { kind: 'subscribe'; chatId: string; afterSeq?: number }
  | { kind: 'subscribe_all'; cursors: ReadonlyMap<string, number>; others: StartFrom }
  | { kind: 'unsubscribe'; chatId: string }
  | { kind: 'authenticate'; token: string }
  | { kind: 'ping' }
);

export type StartFrom = 'NOW' | 'JOINED' | 'BEGINNING';
