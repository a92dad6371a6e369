import type { Panel } from './panel.ts';
import { average, orZero, percentiles, quantile, rate, series, total } from './query.ts';

export const saved: Panel = {
  title: 'Messages and changes committed',
  description: 'New messages of users, and edits and deletions by kind, that PostgreSQL has committed, a second.',
  unit: 'ops',
  queries: [
    { query: rate('chat_messages_saved_total'), legend: 'new' },
    { query: orZero(rate('chat_changes_saved_total', { by: 'kind' })), legend: '{{kind}}' },
  ],
};

export const acknowledgement: Panel = {
  title: 'Time to acknowledgement',
  description:
    'From the arrival of a message or change until it was written or refused; with JetStream until JetStream has it. It is the wait for the batch before, and the commit.',
  unit: 's',
  queries: percentiles('chat_acknowledgement_seconds', { by: 'what' }),
  causes: 'chat-path',
};

export const commitSeconds: Panel = {
  title: 'Time of commits',
  description: 'How long one statement for a batch took, commit included. Locks and the disk of PostgreSQL show here.',
  unit: 's',
  queries: percentiles('chat_commit_seconds', { by: 'what' }),
  causes: 'chat-database',
};

export const batchSize: Panel = {
  title: 'Messages of a commit',
  description: 'How many messages or changes one statement commits, on average. It grows with the load.',
  unit: 'short',
  queries: [{ query: average('chat_batch_size', { by: 'what' }), legend: '{{what}}' }],
};

export const ingestWaiting: Panel = {
  title: 'JetStream: accepted, not yet written',
  description: 'Messages that JetStream holds for PostgreSQL. Always 0 without INGEST=jetstream.',
  unit: 'short',
  queries: [{ query: orZero(total('chat_ingest_waiting_messages')), legend: 'waiting' }],
  causes: 'chat-database',
};

export const ingestLag: Panel = {
  title: 'JetStream: time until written',
  description: 'From the acceptance of a message until PostgreSQL has it. Always 0 without INGEST=jetstream.',
  unit: 's',
  queries: [
    { query: orZero(quantile(0.5, 'chat_ingest_lag_seconds')), legend: 'p50' },
    { query: orZero(quantile(0.99, 'chat_ingest_lag_seconds')), legend: 'p99' },
  ],
};

export const ingestPartitions: Panel = {
  title: 'JetStream: partitions',
  description: 'Partitions that each process writes. All processes together write INGEST_PARTITIONS.',
  unit: 'short',
  queries: [{ query: orZero(total('chat_ingest_partitions', { by: 'instance' })), legend: '{{instance}}' }],
};

export const ingestRefused: Panel = {
  title: 'JetStream: messages set aside',
  description: 'Accepted messages that could not be written, in the last hour. make ingest-replay tries them again.',
  unit: 'short',
  queries: [{ query: orZero(`sum(increase(${series('chat_ingest_refused_total')}[1h]))`), legend: 'set aside' }],
};
