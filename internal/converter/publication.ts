import * as bus from '../../pkg/api/bus/v1/bus.ts';
import type { Complete } from '../model/complete.ts';
import type { ChatPublication, UserPublication } from '../model/publication.ts';
import type { TraceContext } from '../model/trace-context.ts';
import type { CompleteOneof } from './complete-oneof.ts';
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
    case 'messages': {
      const { messages, epoch, traces = [] } = publication;
      const value = { messages: messages.map(toWireMessage), epoch: epoch ?? '', traces: traces.map(toWireTrace) };
      return { $case: 'messages', value };
    }
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

function toWireTrace(headers: TraceContext): bus.TraceContext {
  return { headers };
}

function fromWireMessages({ messages, epoch, traces }: bus.Messages): Complete<ChatPublication> {
  const last = messages.at(-1);
  if (!last) throw new TypeError('a publication without messages');
  if (messages.some(({ system }) => system && !system.event)) return { kind: 'head', seq: last.updateSeq };
  const contexts = traces.length > 0 ? traces.map(({ headers }) => headers) : undefined;
  return { kind: 'messages', messages: messages.map(fromWireMessage), epoch, traces: contexts };
}
