import { describe, expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { newGroup, type Person, personOf, say, signIn } from '../../testing/clients/person.ts';
import { commands, type StreamProbe } from '../../testing/clients/stream-probe.ts';
import { OtlpCollector } from '../../testing/collectors/otlp-collector.ts';
import { eventually } from '../../testing/eventually.ts';
import { busBrokers } from '../../testing/services/bus-brokers.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import {
  checkOutPreviousRelease,
  hasPreviousRelease,
  previousRelease,
} from '../../testing/services/previous-release.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: it unpacks the previous release and starts it as a process.

const isThere = await hasPreviousRelease();
const skipped = isThere ? '' : ` (skipped: this clone lacks the commit ${previousRelease})`;

interface Reader {
  stream: StreamProbe;
  isOld: boolean;
}

/** What a reader holds of a chat: the text of each message in its newest state, by its number. */
function held(stream: StreamProbe, chatId: string): Record<number, string> {
  const texts: Record<number, string> = {};
  for (const { $case, value } of stream.events) {
    const message = $case === 'message' ? value : $case === 'messageChanged' ? value.message : undefined;
    if (message?.chatId === chatId) texts[message.seq] = message.system ? 'recorded' : message.text;
  }
  return texts;
}

/** The numbers under which a reader was sent something of a chat, in order. */
function numbers({ stream, isOld }: Reader, chatId: string): number[] {
  return stream.events.flatMap(({ $case, value }) => {
    if ($case === 'covered' && value.chatId === chatId) {
      return Array.from({ length: value.toSeq - value.fromSeq + 1 }, (_, i) => value.fromSeq + i);
    }
    const message = $case === 'message' ? value : $case === 'messageChanged' ? value.message : undefined;
    if (message?.chatId !== chatId) return [];
    // The previous release sends every change as `message`.
    return $case === 'message' && !isOld ? message.seq : message.updateSeq;
  });
}

const buses = [
  ['PostgreSQL', busBrokers.PostgreSQL],
  ['NATS', busBrokers.NATS],
] as const;

describe.skipIf(!isThere).each(buses)(
  `a node of the previous release beside a new one, with a bus over %s${skipped}`,
  (_name, start) => {
    test('readers of both hold the newest state of what was sent, edited and deleted on either', {
      timeout: 180_000,
    }, async () => {
      const broker = await start();
      // The new node's publications carry contexts, which the previous release does not know.
      const collector = await OtlpCollector.start();
      onTestFinished(() => collector.stop());
      onTestFinished(() => broker.stop());
      const dsn = broker.env.POSTGRES_DSN ?? (await createTestDatabase());
      const env = { ...broker.env, POSTGRES_DSN: dsn, REPAIR_INTERVAL_MS: '60000' };
      const newer = await startTestService({ ...env, TRACING_URL: collector.url }, { dsn });
      onTestFinished(() => newer.stop());
      const folder = await checkOutPreviousRelease();
      const older = await ChildService.start({ ...env, MIGRATE_ON_START: 'false' }, 'server', folder);
      const toOlder = grpcTransport(older.address);
      onTestFinished(() => toOlder.close());
      const alice = await signIn(newer.transport(), 'alice');
      const bob = await signIn(toOlder, 'bob');
      const carol = await signIn(newer.transport(), 'carol');
      const group = await newGroup(alice, bob, carol);
      const aliceOnOlder = personOf(toOlder, alice);
      const open = async (person: Person): Promise<Reader> => {
        const stream = await person.connect();
        await stream.ask(commands.subscribe(group.id, 0));
        return { stream, isOld: person === bob };
      };
      const live = await Promise.all([open(bob), open(carol)]);
      const change = { chatId: group.id, clientChangeId: '' };

      const first = await say(alice, group, 'from the new node');
      await say(bob, group, 'from the old node');
      const edited = await say(aliceOnOlder, group, 'to be edited');
      const deleted = await say(bob, group, 'to be deleted');
      const both = Array.from({ length: 20 }, (_, i) => say(i % 2 === 0 ? alice : bob, group, `at once ${i}`));
      await Promise.all(both);
      await alice.chat.editMessage({
        ...change,
        messageId: edited.messageId,
        text: 'edited',
        clientChangeId: 'edit-1',
      });
      await alice.chat.deleteMessage({ ...change, messageId: deleted.messageId });
      await alice.chat.editMessage({ ...change, messageId: first.messageId, text: 'draft', clientChangeId: 'edit-2' });
      await alice.chat.editMessage({ ...change, messageId: first.messageId, text: 'final', clientChangeId: 'edit-3' });
      await say(bob, group, 'last');

      const history = (await alice.chat.listMessages({ chatId: group.id, afterSeq: 0, pageSize: 100 })).messages;
      const expected = Object.fromEntries(history.map(({ seq, system, text }) => [seq, system ? 'recorded' : text]));
      expect(expected).toMatchObject({ [first.seq]: 'final', [edited.seq]: 'edited', [deleted.seq]: '' });
      expect(history).toHaveLength(26);
      const late = await Promise.all([open(bob), open(carol)]);
      for (const reader of [...live, ...late]) {
        await eventually(() => expect(held(reader.stream, group.id)).toEqual(expected));
        const given = numbers(reader, group.id);
        expect(given).toEqual([...new Set(given)].toSorted((a, b) => a - b));
      }
      await eventually(() => expect(collector.named('publish chat').length).toBeGreaterThan(0));
      expect(numbers(live[1], group.id)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    });
  },
);
