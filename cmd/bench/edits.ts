import { randomUUID } from 'node:crypto';
import { ChatType, type CreateChatResponse, type SendMessageResponse } from '../../pkg/api/chat/v1/chat.ts';
import { measureBareChanges } from './bare-changes.ts';
import type { Figure } from './figure.ts';
import { measureInTurns, type RequestLoad, type RequestResult } from './in-turns.ts';
import { postgresCpu } from './postgres-cpu.ts';
import { RawClient } from './raw-client.ts';
import { startService } from './service-process.ts';

const chats = 8;
const mostAtATime = 32;

/**
 * Compares edits of messages and reactions with sends, by gRPC on one service: one at a time, and many in several chats. Each worker changes a message of its
 * own; of reactions it adds one and takes it back in turn. Beside them is the floor of edits: statements that write the same rows.
 */
export async function measureEdits(
  dsn: string,
  folder: string,
  load: Omit<RequestLoad, 'concurrency'>,
): Promise<Figure[]> {
  const service = await startService(dsn, { CALL_TIMEOUT_MS: '30000' });
  const client = new RawClient(service.address);
  try {
    await client.signIn('editor');
    const chatIds: string[] = [];
    for (let i = 0; i < chats; i += 1) {
      const created = await client.call<CreateChatResponse>('createChat', { type: ChatType.GROUP, name: `bench ${i}` });
      chatIds.push(created.chat!.id);
    }
    const send = (worker: number) => {
      const message = { chatId: chatIds[worker % chats], clientMessageId: randomUUID(), text };
      return client.call<SendMessageResponse>('sendMessage', message);
    };
    const own = await Promise.all(Array.from({ length: mostAtATime }, (_, worker) => send(worker)));
    const edit = (worker: number) => {
      const { messageId } = own[worker]!;
      const chatId = chatIds[worker % chats];
      return client.call('editMessage', { chatId, messageId, clientChangeId: randomUUID(), text });
    };
    const reacted = new Set<number>();
    const react = (worker: number) => {
      const isAdded = reacted.delete(worker);
      if (!isAdded) reacted.add(worker);
      const { messageId } = own[worker]!;
      const change = { chatId: chatIds[worker % chats], messageId, clientChangeId: randomUUID(), emoji: '🎉' };
      return client.call(isAdded ? 'removeReaction' : 'addReaction', change);
    };
    const parts = { service, postgres: postgresCpu(folder) };
    const figures: Figure[] = [];
    for (const concurrency of [1, mostAtATime]) {
      const ways = { edits: edit, reactions: react, sends: send };
      const { edits, reactions, sends } = await measureInTurns(parts, ways, { ...load, concurrency });
      figures.push(
        ...compare(`edits, ${concurrency} at a time`, edits, sends),
        ...compare(`reactions, ${concurrency} at a time`, reactions, sends),
      );
    }
    const messages = own.map(({ messageId }, worker) => ({ messageId, chatId: chatIds[worker % chats]! }));
    const bare = await measureBareChanges(dsn, messages, text, parts.postgres, load);
    figures.push({
      what: `bare statements of ${mostAtATime} edits: PostgreSQL's processor time`,
      value: bare.edits,
      unit: 'µs',
      baseline: { what: 'bare statements of sends', value: bare.sends },
    });
    return figures;
  } finally {
    client.close();
    await service.stop();
  }
}

const text = 'The quick brown fox jumps over the lazy dog, and the dog does not mind.';

function compare(what: string, changes: RequestResult, sends: RequestResult): Figure[] {
  const figure = (of: string, unit: string, field: keyof RequestResult): Figure => ({
    what: `${what}${of}`,
    value: changes[field],
    unit,
    baseline: { what: 'sends', value: sends[field] },
  });
  return [
    figure('', '/s', 'perSecond'),
    figure(": service's processor time", 'µs', 'serviceMicros'),
    figure(": PostgreSQL's processor time", 'µs', 'postgresMicros'),
  ];
}
