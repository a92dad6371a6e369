import type { Panel } from './panel.ts';
import { orZero, rate, series, total } from './query.ts';

/** The reasons for which the service, and not its client, is to blame. */
const faults = 'reason=~"INTERNAL|STORAGE_UNAVAILABLE|WRITER_BUSY|TIMED_OUT"';

const failed = orZero(rate('chat_refusals_total', { where: faults }));
const calls = `(${orZero(rate('grpc_server_handled_total'))}) + (${orZero(rate('chat_commands_total'))})`;

export const readyProcesses: Panel = {
  title: 'Ready processes',
  description: 'Processes that are ready to serve clients, and all that Prometheus scrapes. Usually the two are equal.',
  unit: 'short',
  kind: 'number',
  queries: [
    { query: total('chat_ready'), legend: 'ready' },
    { query: `count(${series('up')})`, legend: 'all' },
  ],
};

export const databaseReached: Panel = {
  title: 'PostgreSQL answers',
  description: '1 while every process reaches PostgreSQL; 0 if one does not.',
  unit: 'short',
  kind: 'number',
  queries: [{ query: `min(${series('chat_database_up')})`, legend: 'answers' }],
  causes: 'chat-database',
};

export const busReached: Panel = {
  title: 'Bus connected',
  description: '1 while every process reaches the broker of the bus; 0 if one does not. Then messages arrive late.',
  unit: 'short',
  kind: 'number',
  queries: [{ query: `min(${series('chat_bus_connected')})`, legend: 'connected' }],
  causes: 'chat-delivery',
};

export const alertsFiring: Panel = {
  title: 'Alerts',
  description: 'Alerts that fire now, of all jobs. docs/runbook.md says for each what to do.',
  unit: 'short',
  kind: 'number',
  queries: [{ query: orZero('count(ALERTS{alertstate="firing"})'), legend: 'firing' }],
};

export const failedCalls: Panel = {
  title: 'Failed calls',
  description:
    'Share of calls and commands that failed because of the service: INTERNAL, STORAGE_UNAVAILABLE, WRITER_BUSY or TIMED_OUT. Usually 0.',
  unit: 'percentunit',
  queries: [{ query: orZero(`(${failed}) / (${calls} > 0)`), legend: 'failed' }],
  causes: 'chat-database',
};
