/** One thing a client wants on its stream; `commandId` is echoed in the answer. */
export type Command = { commandId: string } & (
  | { kind: 'subscribe'; chatId: string; afterSeq?: number }
  | { kind: 'subscribe_all'; cursors: ReadonlyMap<string, number>; others: StartFrom }
  | { kind: 'unsubscribe'; chatId: string }
  | { kind: 'send_message'; chatId: string; clientMessageId: string; text: string }
  | { kind: 'authenticate'; token: string }
  | { kind: 'ping' }
  | { kind: 'typing'; chatId: string }
  | { kind: 'mark_read'; chatId: string; seq: number }
);

export type StartFrom = 'NOW' | 'JOINED' | 'BEGINNING';
