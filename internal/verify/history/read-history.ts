import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { HistoryRecord } from './history-record.ts';

/** Reads the records of a history file. Throws an error that names the first line that is no record. */
export async function* readHistory(file: string): AsyncGenerator<HistoryRecord> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    yield parse(text, `${file}:${line}`);
  }
}

function parse(text: string, place: string): HistoryRecord {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new Error(`${place}: not JSON`);
  }
  if (typeof (record as HistoryRecord | null)?.kind !== 'string' || typeof (record as HistoryRecord).at !== 'number')
    throw new Error(`${place}: not a record of a history`);
  return record as HistoryRecord;
}
