import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import { NatsEventLog } from '../../client/sinks/nats-event-log.ts';
import { OrderedLogSink } from '../../client/sinks/ordered-log-sink.ts';
import type { Config } from '../../config/config.ts';
import { contentTypes, type ExportedEventFormat, jsonEvents, protobufEvents } from '../../converter/exported-event.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';
import { PostgresMessageRepository } from '../../repository/postgres/messages/postgres-message-repository.ts';
import { PostgresSinkCursorRepository } from '../../repository/postgres/sinks/postgres-sink-cursor-repository.ts';
import { SinkRelay } from '../../service/sinks/sink-relay.ts';
import type { OpenedDatabase } from '../database/open-database.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

/** The relay of this process. */
export interface OpenedRelay {
  /** The name of its sink. */
  sink: string;
  relay: SinkRelay;
}

interface Deps {
  database: OpenedDatabase;
  log: Logger;
  metrics: Metrics;
  resources: ResourceStack;
}

const descriptors = new URL('../../../pkg/api/descriptors.binpb', import.meta.url);
/** The name under which the database keeps the sink's cursors. */
const sinkName = 'jetstream';

/** The relay's own connections to the database. Nobody waits for its statements, so they may take long. */
const connections = { poolSize: 3, statementTimeoutMs: 30_000 };

/** How the relay works through the chats. */
const relayOptions = {
  /** Chats at the same time. */
  maxChats: 64,
  /** Changes after which a busy chat gives way to others. */
  pageSize: 200,
  /** Events in one delivery: those that the sink may get again after the relay was killed. */
  batchSize: 20,
  /** How long the chats of a relay that was killed wait for another, in milliseconds. */
  leaseMs: 10_000,
  /** How late a change may reach an idle sink, in milliseconds. */
  pollMs: 200,
  /** The pause after a failure, in milliseconds. */
  restMs: 500,
};

/** How long JetStream may take to acknowledge an event, in milliseconds, before it is sent again. */
const ackTimeoutMs = 2_000;

/**
 * Starts the relay to the sink that EXPORT names, in processes with the role `relay`. While NATS is away the relay logs a warning and tries again,
 * without end.
 */
export async function openSinks(
  config: Config,
  { database, log, metrics, resources }: Deps,
): Promise<OpenedRelay | undefined> {
  const { export: target } = config;
  if (target.kind === 'none' || !config.roles.has('relay')) return undefined;
  const { nats, format, erase, ...settings } = target;
  const eventLog = new NatsEventLog(format === 'protobuf' ? protobufEvents : openJson(), {
    ...settings,
    nats: { url: nats.url, ca: await readCa('NATS_CA', nats.caFile) },
    ackTimeoutMs,
  });
  const sink = new OrderedLogSink(eventLog, { erase });
  resources.add('the event sink', () => sink.close());
  // The relay has connections of its own, so that a backlog does not delay the writing of messages.
  const own = createDatabase({
    dsn: database.dsn,
    ...connections,
    onError: (err) => log.debug({ err }, 'a database connection of the relay broke'),
  });
  resources.add("the relay's database connections", () => own.close());
  const relay = new SinkRelay(
    {
      cursors: new PostgresSinkCursorRepository(own, sinkName),
      messages: new PostgresMessageRepository(own),
      sink,
      log: log.child({ sink: sinkName }),
      metrics,
    },
    { name: sinkName, ...relayOptions },
  );
  resources.add('the relay of changes', () => relay.stop());
  relay.start();
  return { sink: sinkName, relay };
}

function openJson(): ExportedEventFormat {
  const file = readFileSync(descriptors);
  const encoders = contentTypes.map((type) => [type, new MessageJson(file, type)] as const);
  return jsonEvents(Object.fromEntries(encoders) as Record<(typeof contentTypes)[number], MessageJson>);
}
