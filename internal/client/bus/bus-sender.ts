import type { Logger } from 'pino';
import { encodePublication, type Publication } from '../../converter/publication.ts';
import { RareWarning } from '../logging/rare-warning.ts';
import type { BusMessage, Link } from './link.ts';
import { MissedHeads } from './missed-heads.ts';
import type { ReconnectingLink } from './reconnecting-link.ts';
import { SendQueue, type SendQueueOptions } from './send-queue.ts';
import { untilBroken } from './until-broken.ts';

interface Deps {
  kept: ReconnectingLink;
  /** This node's name. */
  origin: Uint8Array;
  log: Logger;
  /** Told of what the broker has refused. */
  refused: RareWarning;
}

/** With the number that the chat has come to by it. */
interface Outgoing extends BusMessage {
  head: number | undefined;
}

const maxMissed = 10_000;

/**
 * Sends publications to the other nodes, with bounded memory: of what cannot be sent only each chat's last number is kept, and
 * told as soon as that can be.
 */
export class BusSender {
  readonly #deps: Deps;
  readonly #queue: SendQueue<Outgoing>;
  readonly #missed = new MissedHeads(maxMissed);
  readonly #dropped: RareWarning;

  constructor(deps: Deps, options: SendQueueOptions) {
    this.#deps = deps;
    this.#queue = new SendQueue((batch) => this.#send(batch), options);
    this.#dropped = new RareWarning(deps.log, 'the bus is slow: other nodes read what was published from the database');
  }

  /** Never throws. */
  publish(topic: string, publication: Publication): void {
    const { link, state } = this.#deps.kept;
    const head = headOf(publication);
    if (!link || state === 'away') return this.#missed.add(topic, head);
    for (const bytes of this.#encode(publication, link.maxBytes - topic.length)) {
      if (this.#queue.push({ topic, bytes, head })) continue;
      this.#dropped.add(undefined);
      return this.#missed.add(topic, head);
    }
  }

  /** Tells how far the chats have come whose publications could not be sent: some now, more whenever something has been sent. */
  tellMissed(): void {
    if (this.#deps.kept.state === 'away') return;
    for (const { topic, seq } of this.#missed.take(100)) this.publish(topic, { kind: 'head', seq });
  }

  /** Resolves when all that was published has been sent. */
  sent(): Promise<void> {
    return this.#queue.sent();
  }

  /** In pieces that the broker takes; a message that is too long by itself becomes a hint. */
  #encode(publication: Publication, maxBytes: number): Uint8Array[] {
    const bytes = encodePublication(this.#deps.origin, publication);
    if (bytes.length <= maxBytes) return [bytes];
    if (publication.kind !== 'messages') {
      this.#deps.refused.add(new Error(`a publication of ${bytes.length} bytes is too long`));
      return [];
    }
    const { messages } = publication;
    if (messages.length === 1) return this.#encode({ kind: 'head', seq: messages[0]!.updateSeq }, maxBytes);
    const half = Math.ceil(messages.length / 2);
    return [messages.slice(0, half), messages.slice(half)].flatMap((part) =>
      this.#encode({ kind: 'messages', messages: part }, maxBytes),
    );
  }

  async #send(batch: readonly Outgoing[]): Promise<void> {
    const { link } = this.#deps.kept;
    if (link && (await this.#isDone(link, batch))) return;
    for (const { topic, head } of batch) this.#missed.add(topic, head);
  }

  /** Whether the broker has taken the batch, or refuses it. */
  async #isDone(link: Link, batch: readonly Outgoing[]): Promise<boolean> {
    try {
      const sent = await untilBroken(link, link.send(batch));
      if (sent) this.tellMissed();
      return sent;
    } catch (error) {
      // To try again what was refused would be refused again.
      const answers = await untilBroken(link, link.ping()).catch(() => false);
      if (answers) this.#deps.refused.add(error);
      return answers;
    }
  }
}

function headOf(publication: Publication): number | undefined {
  if (publication.kind === 'head') return publication.seq;
  return publication.kind === 'messages' ? publication.messages.at(-1)?.updateSeq : undefined;
}
