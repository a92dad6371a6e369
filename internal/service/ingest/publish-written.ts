import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import type { Message } from '../../model/message.ts';
import type { Appended } from '../../repository/message-repository.ts';
import type { ReadableEntry } from './batches.ts';

interface Deps {
  bus: Bus;
  log: Logger;
}

/**
 * Publishes what a batch has become, chat by chat, and logs what was not written. `repeated`: an attempt before this one may have been
 * committed, and then nobody has published it.
 */
export function publishWritten(
  { bus, log }: Deps,
  batch: readonly ReadableEntry[],
  outcomes: readonly Appended[],
  repeated: boolean,
): void {
  const stored = new Map<string, Message[]>();
  const heads = new Map<string, number>();
  for (const [i, { message }] of batch.entries()) {
    const { outcome, seq, createdAt } = outcomes[i]!;
    const { id, chatId, sender, clientMessageId, text } = message;
    if (outcome === 'stored') {
      const written = { id, chatId, seq, updateSeq: seq, sender, clientMessageId, text, createdAt };
      const ofChat = stored.get(chatId);
      if (ofChat) ofChat.push(written);
      else stored.set(chatId, [written]);
    } else if (outcome === 'repeated') {
      if (repeated) heads.set(chatId, Math.max(seq, heads.get(chatId) ?? 0));
    } else if (outcome === 'chat_not_found') {
      log.warn({ chatId, messageId: id }, 'an accepted message was dropped: its chat has been deleted');
    } else {
      log.error(
        { chatId, messageId: id, senderId: sender.id, clientMessageId, outcome },
        'an accepted message was not written: another one has its client_message_id',
      );
    }
  }
  for (const [chatId, seq] of heads) bus.publishToChat(chatId, { kind: 'head', seq });
  for (const [chatId, messages] of stored) bus.publishToChat(chatId, { kind: 'messages', messages });
}
