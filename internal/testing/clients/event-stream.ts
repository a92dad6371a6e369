import { EventEmitter, once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { onTestFinished } from 'vitest';

export interface ServerSentEvent {
  event?: string;
  id?: string;
  retry?: string;
  // biome-ignore lint/suspicious/noExplicitAny: any JSON value.
  data: any;
}

/** Reads server-sent events over a connection of its own, which is closed when the test ends. */
export class EventStream {
  readonly all: ServerSentEvent[] = [];
  readonly comments: string[] = [];
  readonly status: number;
  readonly headers: Headers;
  /** Resolves when the answer ends; rejects if the connection breaks first. */
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  readonly #changes = new EventEmitter();
  #rest = '';

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode!;
    this.headers = new Headers(response.headers as Record<string, string>);
    response.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.ended = once(response, 'end').then(() => {});
    this.ended.catch(() => {});
  }

  of(event: string): ServerSentEvent[] {
    return this.all.filter((one) => one.event === event);
  }

  /** Resolves with the first event of a kind, received before or after the call. */
  async next(event: string): Promise<ServerSentEvent> {
    await this.until(() => this.of(event).length > 0);
    return this.of(event)[0]!;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await Promise.race([once(this.#changes, 'change'), this.ended]);
      if (this.#response.complete && !condition()) throw new Error(`the answer ended first, ${this.all.length} events`);
    }
  }

  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#response.destroy();
  }

  #read(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
      if (block.startsWith(':')) this.comments.push(block.slice(1));
      else this.all.push({ ...Object.fromEntries(fields), data: JSON.parse(fields.get('data') ?? 'null') });
    }
    this.#changes.emit('change');
  }
}

/** Requests a stream of events. Resolves when the answer has begun. */
export async function openEvents(url: string, headers: Record<string, string>): Promise<EventStream> {
  const sent = request(url, { headers, agent: false }).end();
  onTestFinished(() => void sent.destroy());
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  // Closing the connection early causes errors, which do not matter.
  sent.on('error', () => {});
  response.on('error', () => {});
  return new EventStream(response);
}
