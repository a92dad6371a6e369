import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import type { IngestLog } from '../../client/ingest/ingest-log.ts';
import { NatsIngestLog } from '../../client/ingest/nats-ingest-log.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { Config } from '../../config/config.ts';
import type { JetStreamIngest } from '../../config/groups/ingest-config.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/ingest/postgres-ingest-repository.ts';
import { claimMode } from '../../service/ingest/claim-mode.ts';
import { identifyLog } from '../../service/ingest/identify-log.ts';
import { MessageAcceptor } from '../../service/ingest/message-acceptor.ts';
import { PartitionWriters } from '../../service/ingest/partition-writers.ts';
import { SenderChecks } from '../../service/ingest/sender-checks.ts';
import { UnwrittenMessages } from '../../service/ingest/unwritten-messages.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

interface Deps {
  bus: Bus;
  database: Database;
  log: Logger;
  metrics?: Metrics;
  /** Traces what is written; absent or false: nothing does. */
  tracing?: Tracing | false;
  resources: ResourceStack;
}

/** The parts of ingest by JetStream. */
export interface Ingest {
  /** Accepts messages, in the place of the message repository. */
  acceptor: MessageAcceptor;
  /** Write accepted messages to the database. They are not started yet. */
  writers: PartitionWriters;
  ingestLog: IngestLog;
  unwritten: UnwrittenMessages;
}

/** Pairs of sender and chat whose last check is remembered: some 15 MB. */
const maxRememberedSenders = 100_000;

/** While the database is away it is asked again after this time, in milliseconds; in between, remembered checks decide at once. */
const restMs = 1_000;

/** How long a change waits for a message that may not be written yet, and how often it looks meanwhile, in milliseconds. */
const maxSettleMs = 2_000;
const pollMs = 100;

/** Entries stay in the stream this much longer than it recognises repetitions, in milliseconds: clocks differ. */
const extraKeepMs = 5_000;

/** How the processes share the partitions: a writer may miss two heartbeats before others take over. */
const sharing = { heartbeatMs: 1_000, missingAfterMs: 3_500, reportEveryMs: 30_000 };

/** Opens the log. Throws an error that names the stream if it cannot be used. */
export async function openIngestLog(
  { stream, partitions, replicas, maxBytes, duplicateWindowMs, nats }: JetStreamIngest,
  { writer }: Pick<Config, 'writer'>,
  resources: ResourceStack,
): Promise<NatsIngestLog> {
  const ingestLog = await NatsIngestLog.open({
    nats: { url: nats.url, ca: await readCa('NATS_CA', nats.caFile) },
    stream,
    partitions,
    replicas,
    maxBytes,
    duplicateWindowMs,
    // Leaves time for a second attempt before MessageWriter gives up a message.
    ackTimeoutMs: writer.giveUpAfterMs / 2,
  });
  resources.add('the stream of accepted messages', () => ingestLog.close());
  return ingestLog;
}

/**
 * Opens ingest by JetStream; undefined if messages are committed directly. Throws an error that names the stream if it cannot be used, and one that says
 * what to do if the database is set to the other way. The writers are stopped with the resources, so add what accepts messages after this: it is stopped
 * first.
 */
export async function openIngest(
  { ingest, writer, times }: Pick<Config, 'ingest' | 'writer' | 'times'>,
  { bus, database, log, metrics, resources, tracing }: Deps,
): Promise<Ingest | undefined> {
  const repository = new PostgresIngestRepository(database);
  await claimMode(repository, ingest.kind);
  if (ingest.kind === 'direct') return undefined;
  const { duplicateWindowMs, rememberSendersMs } = ingest;
  const ingestLog = await openIngestLog(ingest, { writer }, resources);
  await identifyLog({ ingestLog, repository, log });
  const checks = new SenderChecks(
    { repository, epochs: database.epochs, log },
    {
      max: maxRememberedSenders,
      rememberMs: rememberSendersMs,
      timeoutMs: Math.min(writer.giveUpAfterMs, times.callTimeoutMs) / 4,
      restMs,
    },
  );
  const writers = new PartitionWriters(
    { ingestLog, repository, bus, log, metrics, tracing: tracing || undefined },
    {
      maxBatch: writer.maxBatch,
      maxInFlight: writer.maxInFlight,
      // The stream recognises a repeated message only while it has the first one.
      keepMs: duplicateWindowMs + extraKeepMs,
      ...sharing,
    },
  );
  resources.add('the writers of accepted messages', () => writers.stop());
  const acceptor = new MessageAcceptor({ checks, log: ingestLog });
  const waitMs = Math.min(times.callTimeoutMs / 2, maxSettleMs);
  return {
    acceptor,
    writers,
    ingestLog,
    unwritten: new UnwrittenMessages({ ingestLog, repository }, { waitMs, pollMs }),
  };
}
