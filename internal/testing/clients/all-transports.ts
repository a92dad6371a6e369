import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { TestService } from '../services/test-service.ts';
import { openEvents } from './event-stream.ts';
import { newRoom, say, signIn } from './person.ts';
import { SocketClient } from './socket-client.ts';
import { commands } from './stream-probe.ts';
import { whenWritten } from './when-written.ts';

/** Pause between two rounds, in milliseconds: users do not send without end. */
const pauseMs = 100;

/**
 * Users who read and write by every transport until the returned function is called: gRPC, its streams, REST, WebSocket and server-sent events. They
 * send, edit and delete, and are refused now and then. The function throws what went wrong meanwhile.
 */
export async function useAllTransports(service: TestService): Promise<() => Promise<void>> {
  const [alice, bob] = [await signIn(service.transport(), 'alice'), await signIn(service.transport(), 'bob')];
  const room = await newRoom(alice, bob);
  const authorization = `Bearer ${alice.token}`;
  const messages = `${service.url}/v1/chats/${room.id}/messages`;
  const stream = await bob.connect();
  await stream.ask(commands.subscribe(room.id, 0));
  await openEvents(`${service.url}/v1/chats/${room.id}/events`, { authorization });
  const socket = await SocketClient.connect(service.url, { token: bob.token });
  await socket.ask(commands.subscribe(room.id));

  const round = async () => {
    const { messageId } = await say(alice, room, 'by gRPC');
    await stream.ask(commands.send(room.id, 'by a stream'));
    await socket.ask(commands.send(room.id, 'by WebSocket'));
    const body = JSON.stringify({ text: 'by REST', clientMessageId: crypto.randomUUID() });
    await fetch(messages, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body });
    const change = { chatId: room.id, messageId, clientChangeId: crypto.randomUUID(), ifVersion: undefined };
    await whenWritten(() => alice.chat.editMessage({ ...change, text: 'edited' }));
    const deletion = { ...change, clientChangeId: crypto.randomUUID(), hide: false, reason: '' };
    await whenWritten(() => alice.chat.deleteMessage(deletion));
    await bob.chat.getMessage({ chatId: 'nonsense', messageId: '' }).catch(() => {});
    await fetch(`${service.url}/v1/${crypto.randomUUID()}`);
    (await bob.connect()).close();
    await signIn(service.transport(), 'guest');
  };
  const stopping = new AbortController();
  const used = (async () => {
    while (!stopping.signal.aborted) {
      await round();
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  used.catch(() => {});
  const stop = () => {
    stopping.abort();
    return used;
  };
  onTestFinished(() => stop().catch(() => {}));
  return stop;
}
