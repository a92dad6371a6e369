import type { Logger } from 'pino';
import { encodePublication, type Publication } from '../../converter/publication.ts';
import { seqOf } from '../../model/entry.ts';
import { RareWarning } from '../logging/rare-warning.ts';
import type { BusMessage, Link } from './link.ts';
import { MissedHeads } from './missed-heads.ts';
import type { ReconnectingLink } from './reconnecting-link.ts';
import { SendQueue, type SendQueueOptions } from './send-queue.ts';
import { untilBroken } from './until-broken.ts';

interface Deps {
  connection: ReconnectingLink;
  /** This node's id, by which it recognises its own publications. */
  origin: Uint8Array;
  log: Logger;
  /** Logs what the broker refuses. */
  refused: RareWarning;
}

/** A message with the chat's last number after it; undefined for a publication that moves no number. */
interface Outgoing extends BusMessage {
  head: number | undefined;
}

const maxMissed = 10_000;

/**
 * Sends publications to the other nodes, in bounded memory. Of publications that cannot be sent it keeps only each chat's last number, and publishes that
 * as a `head` later.
 */
export class BusSender {
  readonly #deps: Deps;
  readonly #queue: SendQueue<Outgoing>;
  readonly #missed = new MissedHeads(maxMissed);
  readonly #dropped: RareWarning;

  constructor(deps: Deps, options: SendQueueOptions) {
    this.#deps = deps;
    this.#queue = new SendQueue((batch) => this.#send(batch), options);
    this.#dropped = new RareWarning(
      deps.log,
      'the bus is slow: publications are dropped, and other nodes read the messages from the database',
    );
  }

  /** Queues a publication, or remembers its head if the broker is unreachable or the queue is full. Never throws. */
  publish(topic: string, publication: Publication): void {
    const { link, state } = this.#deps.connection;
    const head = headOf(publication);
    if (!link || state === 'away') return this.#missed.add(topic, head);
    for (const bytes of this.#encode(publication, link.maxBytes - topic.length)) {
      if (this.#queue.push({ topic, bytes, head })) continue;
      this.#dropped.add(undefined);
      return this.#missed.add(topic, head);
    }
  }

  /** Publishes up to 100 of the missed heads. Called again after each batch that is sent, until none is left. */
  tellMissed(): void {
    if (this.#deps.connection.state === 'away') return;
    for (const { topic, seq } of this.#missed.take(100)) this.publish(topic, { kind: 'head', seq });
  }

  /** Resolves when all that was published has been sent. */
  sent(): Promise<void> {
    return this.#queue.sent();
  }

  /** Encodes a publication in pieces of at most `maxBytes`. A single message that is longer becomes a `head`. */
  #encode(publication: Publication, maxBytes: number): Uint8Array[] {
    const bytes = encodePublication(this.#deps.origin, publication);
    if (bytes.length <= maxBytes) return [bytes];
    if (publication.kind !== 'entries') {
      this.#deps.refused.add(new Error(`a publication of ${bytes.length} bytes is too long`));
      return [];
    }
    const { entries } = publication;
    if (entries.length === 1) return this.#encode({ kind: 'head', seq: seqOf(entries[0]!) }, maxBytes);
    const half = Math.ceil(entries.length / 2);
    return [entries.slice(0, half), entries.slice(half)].flatMap((part) =>
      this.#encode({ ...publication, entries: part }, maxBytes),
    );
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    const { link } = this.#deps.connection;
    if (link && (await this.#isDone(link, batch))) return;
    for (const { topic, head } of batch) this.#missed.add(topic, head);
  }

  /** Whether the batch needs no retry: the broker has taken it, or has refused it and would refuse it again. */
  async #isDone(link: Link, batch: readonly Outgoing[]): Promise<boolean> {
    try {
      const sent = await untilBroken(link, link.send(batch));
      if (sent) this.tellMissed();
      return sent;
    } catch (error) {
      // A broker that answers has refused the batch; otherwise the connection failed.
      const answers = await untilBroken(link, link.ping()).catch(() => false);
      if (answers) this.#deps.refused.add(error);
      return answers;
    }
  }
}

function headOf(publication: Publication): number | undefined {
  if (publication.kind === 'head') return publication.seq;
  return publication.kind === 'entries' ? seqOf(publication.entries.at(-1)!) : undefined;
}
