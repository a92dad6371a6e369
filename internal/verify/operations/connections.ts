import { SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import type { Operation } from './operation.ts';

/** Clients break, stall and reopen their connections, and send invalid commands. */
export const connections: readonly Operation[] = [
  {
    name: 'reconnect',
    asks: ['ConnectChat', 'SubscribeAll'],
    weight: 2,
    prepare: ({ keeper, actor }) => (keeper && actor.live?.isWelcomed ? async () => keeper.cut() : undefined),
  },
  {
    name: 'stall',
    asks: ['ConnectChat'],
    weight: 1,
    prepare({ actor }) {
      const { live, random, transportName } = actor;
      if (!live?.isWelcomed || transportName === 'sse') return undefined;
      return async () => {
        // Not awaited: the client does other things meanwhile.
        live.stall(200 + random.below(1_500)).catch(() => {});
      };
    },
  },
  {
    name: 'read again from earlier',
    asks: ['Subscribe'],
    weight: 2,
    prepare({ actor }) {
      const { live, random, transportName } = actor;
      const chatId = random.pick(live?.followed ?? []);
      if (!live?.isWelcomed || chatId === undefined || transportName === 'sse') return undefined;
      const from = Math.max(0, (live.position(chatId) ?? 0) - random.below(50));
      return () => live.follow(chatId, from, live.epoch(chatId));
    },
  },
  {
    name: 'send invalid commands',
    asks: ['ConnectChat'],
    weight: 1,
    prepare({ actor }) {
      const { live, random, transportName } = actor;
      if (!live?.isWelcomed || transportName === 'sse') return undefined;
      const nonsense = [
        { chatId: 'not an id', text: 'x', clientMessageId: 'x' },
        { chatId: crypto.randomUUID(), text: '', clientMessageId: '' },
        { chatId: crypto.randomUUID(), text: 'to no chat', clientMessageId: 'nowhere', data: { to: ['no', 'chat'] } },
      ].map((one) => SendMessageRequest.fromPartial(one));
      return () => live.ask({ $case: 'sendMessage', value: random.pick(nonsense)! });
    },
  },
  {
    name: 'ping, type, renew the token',
    asks: ['ConnectChat', 'SendTyping'],
    weight: 2,
    prepare({ actor }) {
      const { live, random, transportName } = actor;
      const chatId = random.pick(live?.followed ?? []);
      if (!live?.isWelcomed || chatId === undefined || transportName === 'sse') return undefined;
      const choice = random.below(3);
      if (choice === 0) return () => live.ask({ $case: 'ping', value: {} });
      if (choice === 1) return () => live.ask({ $case: 'typing', value: { chatId } });
      return async () => {
        const held = await actor.tokens.get().catch(() => undefined);
        if (held) await live.ask({ $case: 'authenticate', value: { token: held.token } });
      };
    },
  },
];
