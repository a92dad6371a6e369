import type { Panel } from './panel.ts';
import { rate, series, total } from './query.ts';

const byInstance = { by: 'instance' };

export const cpu: Panel = {
  title: 'Processor time',
  description: 'Cores that each process uses. A process runs on one core: near 1 it is full.',
  unit: 'percentunit',
  queries: [{ query: rate('process_cpu_seconds_total', byInstance), legend: '{{instance}}' }],
  causes: 'chat-node',
};

export const memory: Panel = {
  title: 'Memory',
  description: 'Resident memory of each process.',
  unit: 'bytes',
  queries: [{ query: total('process_resident_memory_bytes', byInstance), legend: '{{instance}}' }],
  causes: 'chat-node',
};

export const heap: Panel = {
  title: 'Memory by part',
  description:
    'All memory of the process, the heap of JavaScript (used, and reserved), and the buffers outside of it. A used heap that grows for days is a leak.',
  unit: 'bytes',
  queries: [
    { query: total('process_resident_memory_bytes'), legend: 'resident' },
    { query: total('nodejs_heap_size_total_bytes'), legend: 'heap, reserved' },
    { query: total('nodejs_heap_size_used_bytes'), legend: 'heap, used' },
    { query: total('nodejs_external_memory_bytes'), legend: 'buffers' },
  ],
};

export const eventLoop: Panel = {
  title: 'Delay of the event loop',
  description:
    'How late a timer of 10 ms comes, since the scrape before: the 10 ms are included. Above 100 ms every client waits.',
  unit: 's',
  queries: (['p50', 'p99', 'max'] as const).map((part) => ({
    query: `max by (instance) (${series(`nodejs_eventloop_lag_${part}_seconds`)})`,
    legend: `${part}, {{instance}}`,
  })),
};

export const garbageCollection: Panel = {
  title: 'Garbage collection',
  description: 'Share of the time that the process collects garbage, by kind.',
  unit: 'percentunit',
  queries: [{ query: rate('nodejs_gc_duration_seconds_sum', { by: 'kind' }), legend: '{{kind}}' }],
};

export const openFiles: Panel = {
  title: 'Open files',
  description: 'File descriptors in use, connections among them, and how many the process may have (ulimit -n).',
  unit: 'short',
  queries: [
    { query: total('process_open_fds', byInstance), legend: 'open, {{instance}}' },
    { query: total('process_max_fds', byInstance), legend: 'limit, {{instance}}' },
  ],
};

export const handles: Panel = {
  title: 'What the event loop waits for',
  description: 'Timers, sockets, files and child processes of Node.',
  unit: 'short',
  queries: [{ query: total('nodejs_active_resources', { by: 'type' }), legend: '{{type}}' }],
};

export const started: Panel = {
  title: 'Started',
  description: 'When each process started. A recent time that nobody planned: it crashed or was killed.',
  unit: 'dateTimeAsIso',
  kind: 'number',
  queries: [
    {
      query: `max by (instance, version) (1000 * ${series('process_start_time_seconds')} * on (job, instance) group_left (version) ${series('nodejs_version_info')})`,
      legend: '{{instance}}, Node {{version}}',
    },
  ],
};
