import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { reloadable } from '../../config/live/reloadable.ts';
import { newGroup, newRoom, type Person, say, signIn, uniqueName } from '../../testing/clients/person.ts';
import { commands } from '../../testing/clients/stream-probe.ts';
import { OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

let service: TestService;
let collector: OtlpCollector;
beforeAll(async () => {
  collector = await OtlpCollector.start();
  service = await startTestService({
    ADMIN: 'true',
    ADMIN_PORT: '0',
    TRACING_URL: collector.url,
    TRACING_SAMPLE_RATIO: '0',
    ARRIVALS_PER_SECOND: '100000',
    PRESENCE_GRACE_MS: '600000',
  });
});
afterAll(async () => {
  await service.stop();
  collector.stop();
});

const person = (name = 'alice') => signIn(service.transport(), name);
const refusal = (reason: string) => expect.objectContaining({ reason });
const connected = async (owner: Person) => {
  const stream = await owner.connect();
  onTestFinished(() => stream.close());
  return stream;
};
const changeOf = (chat: { id: string }, messageId: string) => ({ chatId: chat.id, messageId, ifVersion: undefined });
const newChange = () => crypto.randomUUID();

/** What only comes true with the new value of a setting. */
type Effect = () => Promise<void>;

/** Prepares something while the old value is in force, and returns what must come true with the new one. */
const cases: Record<string, { value: string; prepare: () => Promise<Effect> }> = {
  ADMIN_TOKEN: {
    value: 'a token of the operator',
    prepare: async () => {
      const status = async () => (await fetch(`http://127.0.0.1:${service.app.adminPort}/metrics`)).status;
      expect(await status()).toBe(200);
      return async () => expect(await status()).toBe(401);
    },
  },
  TRACING_SAMPLE_RATIO: {
    value: '1',
    prepare: async () => async () => {
      await person();
      await eventually(() => expect(collector.spans.length).toBeGreaterThan(0));
    },
  },
  AUTH_GUESTS: {
    value: 'false',
    prepare: async () => async () => expect(person()).rejects.toEqual(refusal('GUESTS_DISABLED')),
  },
  AUTH_REGISTRATION: {
    value: 'false',
    prepare: async () => async () => {
      const account = { username: uniqueName('carol'), password: 'seven wooden spoons', name: '' };
      await expect(service.transport().auth.register(account, {})).rejects.toEqual(refusal('REGISTRATION_DISABLED'));
    },
  },
  ROOMS_CREATE_ON_JOIN: {
    value: 'false',
    prepare: async () => {
      const alice = await person();
      const join = () => alice.chat.joinRoom({ name: uniqueName('room') });
      await join();
      return async () => expect(join()).rejects.toEqual(refusal('ROOM_NOT_FOUND'));
    },
  },
  EDIT_WINDOW_SECONDS: {
    value: '1',
    prepare: async () => {
      const { alice, group, messageId } = await aMessage();
      const edit = () =>
        alice.chat.editMessage({ ...changeOf(group, messageId), clientChangeId: newChange(), text: newChange() });
      await edit();
      return () => eventually(() => expect(edit()).rejects.toEqual(refusal('TOO_LATE')));
    },
  },
  DELETE_WINDOW_SECONDS: {
    value: '1',
    prepare: async () => {
      // Moderators may delete at any time, which alice as the owner is.
      const { bob, group } = await aMessage();
      const { messageId, createdAt } = await say(bob, group, 'text');
      const change = { ...changeOf(group, messageId), clientChangeId: newChange(), hide: false, reason: '' };
      return async () => {
        await eventually(() => expect(Date.now() - createdAt!.getTime()).toBeGreaterThan(1_000));
        await expect(bob.chat.deleteMessage(change)).rejects.toEqual(refusal('TOO_LATE'));
      };
    },
  },
  EDIT_HISTORY: {
    value: 'true',
    prepare: async () => {
      const { alice, group, messageId } = await aMessage();
      return async () => {
        const change = { ...changeOf(group, messageId), clientChangeId: newChange(), text: 'edited' };
        await alice.chat.editMessage(change);
        const list = { chatId: group.id, messageId, pageSize: 0, pageToken: '' };
        expect((await alice.chat.listMessageVersions(list)).versions).toHaveLength(1);
      };
    },
  },
  CUSTOM_REACTIONS: {
    value: 'true',
    prepare: async () => {
      const { alice, group, messageId } = await aMessage();
      const reaction = { chatId: group.id, messageId, emoji: ':party:', clientChangeId: '' };
      await expect(alice.chat.addReaction(reaction)).rejects.toEqual(refusal('INVALID_FIELDS'));
      return async () => {
        expect(await alice.chat.addReaction(reaction)).toMatchObject({ seq: expect.any(Number) });
      };
    },
  },
  FEATURES_ENABLED: {
    value: '',
    prepare: async () => {
      const { alice, group } = await aMessage();
      const send = () =>
        alice.chat.sendMessage({ chatId: group.id, text: 'x', clientMessageId: newChange(), data: { a: 1 } });
      await send();
      return async () => expect(send()).rejects.toEqual(refusal('FEATURE_DISABLED'));
    },
  },
  MAX_TEXT_LENGTH: {
    value: '3',
    prepare: async () => {
      const { alice, group } = await aMessage();
      return async () => expect(say(alice, group, 'four')).rejects.toThrow('must have at most 3 characters');
    },
  },
  MAX_MEMBERS: {
    value: '2',
    prepare: async () => {
      const people = await Promise.all([person(), person(), person()]);
      await newGroup(...(people as [Person, ...Person[]]));
      const [alice, bob, carol] = people;
      const room = await newRoom(alice, bob);
      return async () => {
        await expect(newGroup(alice, bob, carol)).rejects.toEqual(refusal('MEMBER_LIMIT'));
        await expect(carol.chat.joinRoom({ name: room.name })).rejects.toEqual(refusal('MEMBER_LIMIT'));
      };
    },
  },
  MAX_REACTION_KINDS: {
    value: '1',
    prepare: async () => {
      const { alice, group, messageId } = await aMessage();
      const react = (emoji: string) =>
        alice.chat.addReaction({ chatId: group.id, messageId, emoji, clientChangeId: '' });
      await react('👍');
      await react('🎉');
      return async () => {
        await expect(react('🚀')).rejects.toEqual(refusal('REACTION_LIMIT'));
      };
    },
  },
  MAX_PAGE_SIZE: {
    value: '3',
    prepare: async () => {
      const { alice } = await aMessage();
      const list = () => alice.chat.listChats({ pageSize: 4, pageToken: '' });
      await list();
      return async () => expect(list()).rejects.toThrow('must be at most 3');
    },
  },
  MAX_SIGNAL_MEMBERS: {
    value: '1',
    prepare: async () => {
      const { alice, bob, group } = await aMessage();
      const stream = await connected(bob);
      await stream.ask(commands.subscribe(group.id));
      const typing = await connected(alice);
      await typing.ask(commands.typing(group.id));
      await eventually(() => expect(stream.all('typing')).toHaveLength(1));
      return async () => {
        await typing.ask(commands.typing(group.id));
        const { seq } = await say(alice, group, 'after it');
        await eventually(() => expect(stream.messages(group.id).map((message) => message.seq)).toContain(seq));
        expect(stream.all('typing')).toHaveLength(1);
      };
    },
  },
  ARRIVALS_PER_SECOND: {
    value: '25',
    prepare: async () => {
      const alice = await person();
      return async () => {
        // One of them is admitted every 40 ms, and none may wait.
        service.reload({ ARRIVALS_PER_SECOND: '25', ARRIVALS_MAX_WAITING: '0' });
        const streams = Array.from({ length: 50 }, () => alice.open());
        for (const stream of streams) onTestFinished(() => stream.close());
        await expect(Promise.race(streams.map(failure))).resolves.toEqual(refusal('TOO_MANY_ARRIVALS'));
      };
    },
  },
  MAX_STREAMS_PER_USER: {
    value: '1',
    prepare: async () => {
      const alice = await person();
      await connected(alice);
      return async () => expect(await alice.open().ended).toEqual(refusal('TOO_MANY_STREAMS'));
    },
  },
  MAX_SUBSCRIPTIONS: {
    value: '1',
    prepare: async () => {
      const alice = await person();
      const [one, two] = [await newGroup(alice), await newGroup(alice)];
      return async () => {
        const stream = await connected(alice);
        expect((await stream.ask(commands.subscribe(one.id))).$case).toBe('subscribed');
        expect(await stream.ask(commands.subscribe(two.id))).toMatchObject({ $case: 'rejected' });
      };
    },
  },
  RATE_LIMIT_MESSAGES: {
    value: '1',
    prepare: async () => {
      const { alice, group } = await aMessage();
      return () => limited(() => say(alice, group, 'text'));
    },
  },
  RATE_LIMIT_CALLS: {
    value: '1',
    prepare: async () => {
      const { alice } = await aMessage();
      return () => limited(() => alice.chat.listChats({ pageSize: 0, pageToken: '' }));
    },
  },
  RATE_LIMIT_GUESTS: { value: '1', prepare: async () => () => limited(() => person()) },
  RATE_LIMIT_SIGN_INS: {
    value: '1',
    prepare: async () => () =>
      limited(() =>
        service
          .transport()
          .auth.login({ username: uniqueName('nobody'), password: 'a wrong password' }, {})
          .catch((error) => {
            if (error.reason !== 'WRONG_CREDENTIALS') throw error;
          }),
      ),
  },
  RATE_LIMIT_PARTS: {
    value: '1',
    prepare: async () => {
      const { alice, group } = await aMessage();
      const { messageId } = await alice.chat.startMessage({ chatId: group.id, clientMessageId: newChange(), text: '' });
      return () => limited(() => alice.chat.appendMessage({ chatId: group.id, messageId, part: 1, text: 'x' }));
    },
  },
  RATE_LIMIT_LOGIN_FAILURES: {
    value: '1',
    prepare: async () => {
      const username = uniqueName('nobody');
      return () =>
        limited(() =>
          service
            .transport()
            .auth.login({ username, password: 'a wrong password' }, {})
            .catch((error) => {
              if (error.reason !== 'WRONG_CREDENTIALS') throw error;
            }),
        );
    },
  },
  PRESENCE_GRACE_MS: {
    value: '0',
    prepare: async () => {
      const { alice, bob, group } = await aMessage();
      const reader = await connected(alice);
      await reader.ask(commands.subscribe(group.id));
      const stream = await connected(bob);
      return async () => {
        stream.close();
        await eventually(() =>
          expect(reader.all('presence')).toContainEqual(expect.objectContaining({ online: false })),
        );
      };
    },
  },
};

/** Settings whose effect another test shows, or that has none which a client could see. */
const elsewhere = ['LOG_LEVEL', 'ARRIVALS_MAX_WAITING', 'MAX_PENDING_SENDS', 'OUTBOX_BYTES', 'RECONNECT_SPREAD_MS'];

async function aMessage() {
  const [alice, bob] = [await person(), await person('bob')];
  const group = await newGroup(alice, bob);
  return { alice, bob, group, ...(await say(alice, group, 'text')) };
}

/** Resolves with the error of a stream that fails; never, if it does not. */
async function failure(stream: ReturnType<Person['open']>) {
  return (await stream.ended) ?? new Promise(() => {});
}

/** Repeats the call until it is refused. */
async function limited(call: () => Promise<unknown>): Promise<void> {
  for (let calls = 0; calls < 1_000; calls += 1) {
    const error = await call().then(
      () => undefined,
      (refused) => refused,
    );
    if (error) return expect(error).toEqual(refusal('RATE_LIMITED'));
  }
  expect.unreachable('nothing was limited');
}

test('every reloadable setting has a case', () => {
  expect([...Object.keys(cases), ...elsewhere].toSorted()).toEqual(Object.keys(reloadable).toSorted());
});

test.each(Object.entries(cases))('%s applies to the running service', async (name, { value, prepare }) => {
  const effect = await prepare();
  service.reload({ [name]: value });
  onTestFinished(() => service.reload({}));
  await effect();
});

test('RECONNECT_SPREAD_MS applies to the next stop', async () => {
  const other = await startTestService({ RECONNECT_SPREAD_MS: '3600000' });
  const stream = await (await signIn(other.transport(), 'alice')).connect();
  other.reload({ RECONNECT_SPREAD_MS: '0' });
  await Promise.all([other.app.stop(), stream.ended]);
  expect(stream.all('closing')[0]?.retryAfterMs).toBe(0);
  await other.stop();
});
