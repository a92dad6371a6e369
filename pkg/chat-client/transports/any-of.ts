import { ChatClientError } from '../errors/chat-error.ts';
import type { AuthCalls, ChatCalls, Stream, Transport } from './transport.ts';

/**
 * Several nodes of one service as one transport, where nothing in front of them deals connections out. It begins with any of them, and goes to
 * the next one whenever a stream ends or a call finds nobody: clients of a node that is being replaced spread over the others.
 */
export function anyOf(transports: readonly Transport[]): Transport {
  if (transports.length === 0) throw new Error('anyOf needs at least one transport');
  let place = Math.floor(Math.random() * transports.length);
  const current = () => transports[place % transports.length]!;
  const moveOn = (from: Transport) => {
    // Several may notice at the same time.
    if (from === current()) place += 1;
  };
  return {
    chat: callsOf<ChatCalls>(current, moveOn, 'chat'),
    auth: callsOf<AuthCalls>(current, moveOn, 'auth'),
    connect(token, signal): Stream {
      const node = current();
      const stream = node.connect(token, signal);
      async function* frames() {
        try {
          yield* stream.frames;
        } finally {
          moveOn(node);
        }
      }
      return { send: (command) => stream.send(command), frames: frames() };
    },
    close() {
      for (const transport of transports) transport.close();
    },
  };
}

/** Codes of calls that nobody has answered: a node that hangs lets them run out of time. */
const findsNobody = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED']);

type Calls = Record<string, (request: never, options: never) => Promise<unknown>>;

function callsOf<T>(current: () => Transport, moveOn: (from: Transport) => void, service: 'chat' | 'auth'): T {
  const call = (method: string) => async (request: never, options: never) => {
    const node = current();
    try {
      return await (node[service] as unknown as Calls)[method]!(request, options);
    } catch (error) {
      if (error instanceof ChatClientError && findsNobody.has(error.code)) moveOn(node);
      throw error;
    }
  };
  const methods = Object.keys(current()[service]);
  return Object.fromEntries(methods.map((method) => [method, call(method)])) as T;
}
