import { ChatClientError } from '../errors/chat-error.ts';
import type { AuthCalls, ChatCalls, Stream, Transport } from './transport.ts';

/**
 * Combines transports to several nodes of one service into one, for installations without a load balancer. It starts with a random node, and
 * moves to the next one when a stream ends or a call fails with UNAVAILABLE or DEADLINE_EXCEEDED. When a node is replaced, its clients spread
 * over the other nodes. Throws Error if `transports` is empty.
 *
 * @example
 * const transport = anyOf([webSocketTransport('https://one.example.com'), webSocketTransport('https://two.example.com')]);
 */
export function anyOf(transports: readonly Transport[]): Transport {
  if (transports.length === 0) throw new Error('anyOf needs at least one transport');
  let place = Math.floor(Math.random() * transports.length);
  const current = () => transports[place % transports.length]!;
  const moveOn = (from: Transport) => {
    // Several calls may fail on the same node at the same time: only the first one moves on.
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

/** Codes of calls that the node did not answer; calls to a node that hangs exceed their deadline. */
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
