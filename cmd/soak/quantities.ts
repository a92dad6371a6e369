import type { Sample } from '../../pkg/prometheus-text/parse-samples.ts';

/** Something that is read from the metrics of each node. */
export interface Quantity {
  name: string;
  unit: 'MiB' | 'KiB' | '' | 's' | '/s';
  /** In what unit the report shows it: the value is divided by this. */
  scale: number;
  /** Growth by less is noise; in units of the metric. Absent: it may grow. */
  floor?: number;
  read(samples: readonly Sample[]): number;
}

const mebibyte = 1_048_576;

/** What must not grow, and what shows that there was load. */
export const quantities: readonly Quantity[] = [
  {
    name: 'resident memory',
    unit: 'MiB',
    scale: mebibyte,
    floor: 48 * mebibyte,
    read: sum('process_resident_memory_bytes'),
  },
  { name: 'heap', unit: 'MiB', scale: mebibyte, floor: 16 * mebibyte, read: sum('nodejs_heap_size_used_bytes') },
  {
    name: 'memory outside the heap',
    unit: 'MiB',
    scale: mebibyte,
    floor: 16 * mebibyte,
    read: sum('nodejs_external_memory_bytes'),
  },
  { name: 'open files', unit: '', scale: 1, floor: 30, read: sum('process_open_fds') },
  { name: 'connections of clients', unit: '', scale: 1, floor: 30, read: sum('chat_connections') },
  { name: 'streams', unit: '', scale: 1, floor: 30, read: sum('chat_sessions') },
  { name: 'readers that catch up', unit: '', scale: 1, floor: 20, read: sum('chat_readers', { state: 'catching_up' }) },
  { name: 'bytes that wait for readers', unit: 'KiB', scale: 1_024, floor: mebibyte, read: sum('chat_outbox_bytes') },
  { name: 'streams that wait to be admitted', unit: '', scale: 1, floor: 20, read: sum('chat_arrivals_waiting') },
  {
    name: 'callers that wait for a connection',
    unit: '',
    scale: 1,
    floor: 20,
    read: sum('chat_database_connections', { state: 'waiting' }),
  },
  {
    name: 'accepted messages not yet written',
    unit: '',
    scale: 1,
    floor: 500,
    read: sum('chat_ingest_waiting_messages'),
  },
  { name: 'delay of the event loop, p99', unit: 's', scale: 1, read: sum('nodejs_eventloop_lag_p99_seconds') },
  { name: 'messages written', unit: '', scale: 1, read: sum('chat_messages_saved_total') },
  { name: 'deliveries', unit: '', scale: 1, read: sum('chat_deliveries_total') },
];

/** Adds up the samples of a metric with these labels; 0 if there are none. */
function sum(name: string, labels: Readonly<Record<string, string>> = {}): Quantity['read'] {
  return (samples) =>
    samples
      .filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
      )
      .reduce((total, { value }) => total + value, 0);
}
