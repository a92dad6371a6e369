import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { ChatClient, guest } from '../../../pkg/chat-client/index.ts';
import { parseSamples } from '../../../pkg/prometheus-text/parse-samples.ts';
import { startNats } from '../../servers/brokers.ts';
import { eventually } from '../../testing/eventually.ts';
import { startTcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { ingestEnv } from '../../testing/services/ingest-env.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';
import { startTestService } from '../../testing/services/test-service.ts';

// Slow: connections to PostgreSQL are cut again and again while clients send.
test.each(['direct', 'jetstream'])(
  'the counters say what clients saw, though answers of PostgreSQL are lost: ingest %s',
  async (ingest) => {
    const network = await startTcpProxy(await createTestDatabase());
    const nats = ingest === 'jetstream' ? await startNats() : undefined;
    const env = { ADMIN: 'true', ADMIN_PORT: '0', ...(nats && ingestEnv(nats)) };
    const service = await startTestService(env, { dsn: network.dsn });
    let received = 0;
    const clients = Array.from({ length: 3 }, (_, i) => {
      const client = new ChatClient({ transport: grpcTransport(service.address), token: guest(`counted-${i}`) });
      client.on('message', () => (received += 1));
      return client;
    });
    onTestFinished(async () => {
      await Promise.all(clients.map((client) => client.close()));
      await service.stop();
      await network.close();
      await nats?.stop();
    });
    for (const client of clients) await client.connect();
    const rooms = await Promise.all(clients.map((client) => client.joinRoom('counted')));

    const sends: Promise<unknown>[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (const [i, client] of clients.entries())
        for (let n = 0; n < 40; n += 1) sends.push(client.send(rooms[i]!.id, `${round} ${n}`));
      // Some of them are committed, and their answers get lost.
      await Promise.race(sends.slice(-60));
      network.cut();
      network.restore();
    }
    await Promise.all(sends);

    const scrape = async () => {
      const text = await (await fetch(`http://127.0.0.1:${service.app.adminPort}/metrics`)).text();
      const read = (name: string) => parseSamples(text).find((sample) => sample.name === name)?.value;
      return { saved: read('chat_messages_saved_total')!, deliveries: read('chat_deliveries_total') };
    };
    // Three clients have joined, and each message has three readers.
    const deliveries = 3 * sends.length + 3 + 2 + 1;
    await eventually(() => expect(received).toBe(deliveries));
    const { saved, ...others } = await scrape();
    expect(others).toEqual({ deliveries });
    // A writer that has lost the answer about a batch goes on behind it, and does not learn that it was its own.
    if (ingest === 'jetstream') expect(saved).toBeLessThanOrEqual(sends.length);
    else expect(saved).toBe(sends.length);
    const { rows } = await query(network.dsn, 'select count(*)::int as count from messages where system is null');
    expect(rows).toEqual([{ count: sends.length }]);
  },
);

async function query(dsn: string, text: string) {
  const client = new pg.Client(dsn);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}
