import type { Logger } from 'pino';
import type { Bus } from '../../client/bus/bus.ts';
import { NatsIngestLog } from '../../client/ingest/nats-ingest-log.ts';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../repository/postgres/connection/database.ts';
import { PostgresIngestRepository } from '../../repository/postgres/ingest/postgres-ingest-repository.ts';
import { MessageAcceptor } from '../../service/ingest/message-acceptor.ts';
import { PartitionWriters } from '../../service/ingest/partition-writers.ts';
import { recogniseLog } from '../../service/ingest/recognise-log.ts';
import { SenderChecks } from '../../service/ingest/sender-checks.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';
import { readCa } from './read-ca.ts';

interface Deps {
  bus: Bus;
  database: Database;
  log: Logger;
  resources: ResourceStack;
}

/** What keeps messages until they are written, and what writes them. */
export interface Ingest {
  /** Stands in for the database under the MessageWriter. */
  acceptor: MessageAcceptor;
  /** Not started yet. */
  writers: PartitionWriters;
}

/**
 * Messages by way of JetStream; undefined if they are committed directly. Throws an error with a clear message when the stream cannot be used. The
 * writers are stopped with the resources: what accepts messages must be added after this.
 */
export async function openIngest(
  { ingest, writer, callTimeoutMs }: Config,
  { bus, database, log, resources }: Deps,
): Promise<Ingest | undefined> {
  if (ingest.kind === 'direct') return undefined;
  const { stream, partitions, replicas, maxBytes, duplicateWindowMs, rememberSendersMs, nats } = ingest;
  const ingestLog = await NatsIngestLog.open({
    nats: { url: nats.url, ca: await readCa('NATS_CA', nats.caFile) },
    stream,
    partitions,
    replicas,
    maxBytes,
    duplicateWindowMs,
    // Time enough for a second attempt before a message is given up.
    ackTimeoutMs: writer.giveUpAfterMs / 2,
  });
  resources.add('the stream of accepted messages', () => ingestLog.close());
  const repository = new PostgresIngestRepository(database);
  await recogniseLog({ ingestLog, repository, log });
  const checks = new SenderChecks(
    { repository, log },
    {
      max: 100_000,
      rememberMs: rememberSendersMs,
      patienceMs: Math.min(writer.giveUpAfterMs, callTimeoutMs) / 4,
      restMs: 1_000,
    },
  );
  const writers = new PartitionWriters(
    { ingestLog, repository, bus, log },
    {
      maxBatch: writer.maxBatch,
      maxInFlight: writer.maxInFlight,
      // The stream recognises a repetition by what it still holds.
      keepMs: duplicateWindowMs + 5_000,
      heartbeatMs: 1_000,
      missingAfterMs: 3_500,
      reportEveryMs: 30_000,
    },
  );
  resources.add('the writers of accepted messages', () => writers.stop());
  return { acceptor: new MessageAcceptor({ checks, log: ingestLog }), writers };
}
