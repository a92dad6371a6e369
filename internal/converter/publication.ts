import * as bus from '../../pkg/api/bus/v1/bus.ts';
import type { Complete } from '../model/complete.ts';
import { type Entry, entryOf, seqOf } from '../model/entry.ts';
import type { ChatPublication, UserPublication } from '../model/publication.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { CompleteOneof } from './complete-oneof.ts';
import { fromWireEntry, toWireEntry } from './entry.ts';
import { fromWireEphemeralEvent, toWireEphemeralEvent } from './ephemeral-event.ts';
import { fromWireMessage, toWireMessage } from './message.ts';

export type Publication = ChatPublication | UserPublication;

type WirePublication = NonNullable<bus.Publication['publication']>;

/** Encodes a publication for the bus. `origin` is the id of the publishing node. */
export function encodePublication(origin: Uint8Array, publication: Publication): Uint8Array {
  const body = bus.Publication.encode({ publication: toWirePublication(publication) }).finish();
  return bus.Envelope.encode({ origin, publication: body }).finish();
}

/**
 * Decodes a publication; returns undefined if the node `origin` published it itself. Messages of a kind that only a newer release knows become a
 * `head`, which makes subscribers read them from the database. Throws an Error if the bytes are damaged.
 */
export function decodePublication(origin: Uint8Array, bytes: Uint8Array): Publication | undefined {
  const envelope = bus.Envelope.decode(bytes);
  if (Buffer.compare(envelope.origin, origin) === 0) return undefined;
  if (envelope.origin.length === 0) throw new TypeError('a publication without an origin');
  return fromWirePublication(bus.Publication.decode(envelope.publication).publication);
}

export function toWirePublication(publication: Publication): CompleteOneof<WirePublication> {
  switch (publication.kind) {
    case 'entries':
      return toWireEntries(publication);
    case 'head':
      return { $case: 'head', value: { seq: publication.seq } };
    case 'deleted':
      return { $case: 'deleted', value: {} };
    case 'ephemeral': {
      const { event, onlyTo } = publication;
      return { $case: 'signal', value: { signal: toWireEphemeralEvent(event), onlyTo } };
    }
    case 'membership_changed':
      return { $case: 'membershipChanged', value: {} };
    default:
      return publication satisfies never;
  }
}

/** Converts a publication. Throws TypeError for one that `toWirePublication` cannot have written. */
export function fromWirePublication(publication: WirePublication | undefined): Complete<Publication> {
  switch (publication?.$case) {
    case 'messages':
      return fromWireMessages(publication.value);
    case 'entries':
      return fromWireEntries(publication.value);
    case 'head':
      return { kind: 'head', seq: publication.value.seq };
    case 'deleted':
      return { kind: 'deleted' };
    case 'signal': {
      const { signal, onlyTo } = publication.value;
      return { kind: 'ephemeral', event: fromWireEphemeralEvent(signal), onlyTo };
    }
    case 'membershipChanged':
      return { kind: 'membership_changed' };
    case undefined:
      throw new TypeError('a publication of an unknown kind');
    default:
      return publication satisfies never;
  }
}

/** Messages alone take the form that nodes of older releases know. */
function toWireEntries(publication: Extract<ChatPublication, { kind: 'entries' }>): CompleteOneof<WirePublication> {
  const { entries, epoch = '' } = publication;
  const traces = (publication.traces ?? []).map(toWireTrace);
  const messages = entries.flatMap((entry) => (isMessage(entry) ? toWireMessage(entry.message) : []));
  if (messages.length === entries.length) return { $case: 'messages', value: { messages, epoch, traces } };
  const changes = entries.map((entry) => ({ change: toWireEntry(entry) }));
  return { $case: 'entries', value: { entries: changes, lastSeq: seqOf(entries.at(-1)!), epoch, traces } };
}

/** Whether a message alone says what the entry is. */
function isMessage(entry: Entry): entry is Extract<Entry, { message: unknown }> {
  return 'message' in entry && entry.kind === entryOf(entry.message).kind;
}

function toWireTrace(headers: TraceContext): bus.TraceContext {
  return { headers };
}

function fromWireMessages({ messages, epoch, traces }: bus.Messages): Complete<ChatPublication> {
  const last = messages.at(-1);
  if (!last) throw new TypeError('a publication without messages');
  if (messages.some(({ system }) => system && !system.event)) return { kind: 'head', seq: last.updateSeq };
  const entries = messages.map((message) => entryOf(fromWireMessage(message)));
  return { kind: 'entries', entries, epoch, traces: fromWireTraces(traces) };
}

function fromWireEntries({ entries: changes, lastSeq, epoch, traces }: bus.Entries): Complete<ChatPublication> {
  const known = changes.flatMap(({ change }) => change ?? []);
  if (lastSeq < 1) throw new TypeError('a publication of entries without a number');
  if (known.length === 0 || known.length < changes.length) return { kind: 'head', seq: lastSeq };
  return { kind: 'entries', entries: known.map(fromWireEntry), epoch, traces: fromWireTraces(traces) };
}

function fromWireTraces(traces: readonly bus.TraceContext[]): TraceContext[] | undefined {
  return traces.length > 0 ? traces.map(({ headers }) => headers) : undefined;
}
