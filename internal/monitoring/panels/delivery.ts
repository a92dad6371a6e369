import type { Panel } from './panel.ts';
import { orZero, percentiles, quantile, rate, total } from './query.ts';

export const deliverySeconds: Panel = {
  title: 'Time to delivery',
  description:
    'From the time of a message in PostgreSQL until a node gave it to its live readers: the rest of the commit, the bus and the order of the chat. It compares two clocks: it is wrong by as much as they differ.',
  unit: 's',
  queries: percentiles('chat_delivery_seconds'),
  causes: 'chat-path',
};

export const deliverySecondsByNode: Panel = {
  title: 'Time to delivery by node',
  description:
    'The 99th percentile. One node alone is late: its clock, its event loop or its connection to the bus. All are late: the bus.',
  unit: 's',
  queries: [{ query: quantile(0.99, 'chat_delivery_seconds', { by: 'instance' }), legend: '{{instance}}' }],
  causes: 'chat-node',
};

export const deliveries: Panel = {
  title: 'Deliveries',
  description: 'Messages and changes that were put into the queues of readers, a second. One message to ten is ten.',
  unit: 'ops',
  queries: [{ query: rate('chat_deliveries_total'), legend: 'deliveries' }],
};

export const publications: Panel = {
  title: 'Publications on the bus',
  description: 'What the nodes told each other, a second: messages, changes, and ephemeral events such as typing.',
  unit: 'ops',
  queries: [{ query: rate('chat_bus_publications_total'), legend: 'publications' }],
};

export const busStates: Panel = {
  title: 'Bus connected, by node',
  description: '1 while the node reaches the broker of the bus.',
  unit: 'short',
  queries: [{ query: total('chat_bus_connected', { by: 'instance' }), legend: '{{instance}}' }],
};

export const busFaults: Panel = {
  title: 'Losses and repairs',
  description:
    'Losses: how often publications may have been lost, mostly because a connection broke. Repairs: how often a chat read from the database what the bus had not brought. A second; usually about 0.',
  unit: 'ops',
  queries: [
    { query: rate('chat_bus_losses_total'), legend: 'losses' },
    { query: rate('chat_repairs_total'), legend: 'repairs' },
  ],
};

export const readers: Panel = {
  title: 'Readers',
  description: 'Subscriptions to a chat: live, or catching up from the database.',
  unit: 'short',
  queries: [{ query: total('chat_readers', { by: 'state' }), legend: '{{state}}' }],
};

export const topics: Panel = {
  title: 'Chats with readers',
  description: 'Chats that each node keeps in memory, because they have readers there or had some a moment ago.',
  unit: 'short',
  queries: [{ query: total('chat_topics', { by: 'instance' }), legend: '{{instance}}' }],
};

export const outbox: Panel = {
  title: 'Bytes that wait for readers',
  description: 'Queues of readers who take less than they get. OUTBOX_BYTES bounds that of each stream.',
  unit: 'bytes',
  queries: [{ query: total('chat_outbox_bytes', { by: 'instance' }), legend: '{{instance}}' }],
};

export const sentFrames: Panel = {
  title: 'Frames sent',
  description: 'Answers to unary calls, and frames of events in streams, a second. A frame holds many events.',
  unit: 'ops',
  queries: [{ query: rate('grpc_server_msg_sent_total', { by: 'grpc_type' }), legend: '{{grpc_type}}' }],
};

export const resets: Panel = {
  title: 'Chats led back',
  description: 'Chats whose readers were led back, because PostgreSQL began a new history. Usually 0.',
  unit: 'ops',
  queries: [{ query: rate('chat_resets_total'), legend: 'resets' }],
};

export const exportedEvents: Panel = {
  title: 'Exported events',
  description: 'Events that each sink has acknowledged, a second. Always 0 without EXPORT.',
  unit: 'ops',
  queries: [{ query: orZero(rate('chat_sink_events_total', { by: 'sink' })), legend: '{{sink}}' }],
};

export const exportLag: Panel = {
  title: 'Export: how late',
  description: 'The age of the newest exported change; 0 when nothing waits. Always 0 without EXPORT.',
  unit: 's',
  queries: [{ query: orZero('max by (sink) (chat_sink_lag_seconds{$nodes})'), legend: '{{sink}}' }],
};

export const exportFailures: Panel = {
  title: 'Export: failures',
  description: 'How often an export failed and was tried again, a second. Usually 0.',
  unit: 'ops',
  queries: [{ query: orZero(rate('chat_sink_failures_total', { by: 'sink' })), legend: '{{sink}}' }],
};
