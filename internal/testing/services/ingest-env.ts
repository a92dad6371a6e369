import { randomUUID } from 'node:crypto';
import type { ServerProcess } from '../../servers/server-process.ts';

/** Settings of a service that accepts messages by JetStream, with a stream that no other test uses. */
export function ingestEnv(nats: ServerProcess): Record<string, string> {
  return {
    INGEST: 'jetstream',
    NATS_URL: `nats://127.0.0.1:${nats.port}`,
    INGEST_STREAM: `STREAM_${randomUUID()}`,
    INGEST_PARTITIONS: '4',
    // The defaults of the service: while NATS is away, each attempt waits for as long.
    CALL_TIMEOUT_MS: '5000',
    WRITER_GIVE_UP_MS: '4000',
  };
}
