import { Message } from '../../../pkg/api/chat/v1/chat.ts';
import { type ChatClient, ChatClientError } from '../../../pkg/chat-client/index.ts';
import { changeLine, isGrowing, messageLine } from '../text/format.ts';
import { enterChat } from './find-chat.ts';
import { ShownChanges } from './shown-changes.ts';
import { type Subcommand, UsageError } from './subcommand.ts';

export const connectChat: Subcommand = {
  name: 'connect-chat',
  parameters: 'CHAT',
  positionals: { min: 1, max: 1 },
  summary: 'print the messages of a chat and their changes as they arrive, until interrupted; joins a room',
  help: `  --after SEQ        first everything after this number; 0: from the beginning
  --count N          end after N messages
With --json, a line with "event": "message_changed" is the new state of an earlier message.`,
  options: { after: { type: 'string' }, count: { type: 'string' } },
  untilInterrupted: true,
  async run({ options, client, print, signal }) {
    const afterSeq = readNumber('after', options.values.after);
    const count = readNumber('count', options.values.count) ?? Number.POSITIVE_INFINITY;
    const opened = await client();
    const chatId = await enterChat(opened, options.positionals[0]!);
    const { chat } = await opened.call('getChat', { chatId });
    if (!chat) throw new Error('the service left out the chat');
    const { id: userId } = await opened.connect({ patient: false });
    const view = { userId, currentChatId: chatId };
    const shown = (message: Message) => messageLine(message, chat, view) ?? '';
    let printed = 0;
    if (count === 0) return;
    const growing = new Set<string>();
    const lineOf = (message: Message) => {
      // After a reconnection it tells how far the message has grown.
      if (isGrowing(message)) return undefined;
      return growing.delete(message.id) && !message.deletedAt ? shown(message) : changeLine(message);
    };
    const changes = new ShownChanges(async (message) => {
      const line = lineOf(message);
      if (line !== undefined || options.json)
        await print(line ?? '', { ...(Message.toJSON(message) as object), event: 'message_changed' });
    });
    let listedTo = 0;
    opened.on('messageChanged', (message) => {
      if (message.chatId === chatId && message.updateSeq > listedTo) changes.add(message);
    });
    // The feed brings messages after `afterSeq` only; earlier ones may have been changed since.
    if (afterSeq) listedTo = await listChanges(opened, chatId, afterSeq, (message) => changes.add(message));
    await changes.reached(afterSeq ?? chat.lastSeq);
    let ended: string | undefined;
    opened.on('chatRemoved', (removed) => {
      if (removed.chatId === chatId) ended = 'you are no longer in this chat, or it was deleted';
    });
    for await (const message of opened.chat(chatId).messages({ afterSeq, signal })) {
      // A line that grows is printed when it has ended; with --json its beginning is printed, too.
      if (isGrowing(message)) growing.add(message.id);
      const line = isGrowing(message) ? undefined : messageLine(message, chat, view);
      if (line !== undefined || options.json) await print(line ?? '', Message.toJSON(message) as object);
      await changes.reached(message.seq, message);
      printed += 1;
      if (printed === count) return;
    }
    if (ended !== undefined) throw new ChatClientError(ended, { code: 'NOT_FOUND', reason: 'CHAT_NOT_FOUND' });
  },
};

/** Calls `found` for each earlier message that was changed under a number after `afterSeq`. Returns the number up to which it has read. */
async function listChanges(
  client: ChatClient,
  chatId: string,
  afterSeq: number,
  found: (message: Message) => void,
): Promise<number> {
  for (let lastSeq = afterSeq; ; ) {
    const page = await client.call('listChanges', { chatId, afterSeq: lastSeq });
    lastSeq = page.lastSeq;
    for (const { change } of page.changes) {
      const message = change?.$case === 'messageChanged' ? change.value.message : undefined;
      if (message && message.seq <= afterSeq) found(message);
    }
    if (!page.hasMore) return lastSeq;
  }
}

function readNumber(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) throw new UsageError(`--${name} must be a number`);
  return Number(value);
}
