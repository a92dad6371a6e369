import type { Publication } from '../../converter/publication.ts';
import type { Unsubscribe } from './bus.ts';
import { Interest } from './interest.ts';
import type { Link } from './link.ts';
import type { ReconnectingLink } from './reconnecting-link.ts';
import { untilBroken } from './until-broken.ts';

export interface BusSubscriptionsOptions {
  /** How long the broker's subscription to a topic outlives its last subscriber, in milliseconds. */
  lingerMs: number;
  /** How long `add` waits for the broker's answer, in milliseconds. */
  subscribeTimeoutMs: number;
}

interface Deps {
  connection: () => ReconnectingLink;
  /** Called when a subscription takes effect after `add` has stopped waiting: publications may have been lost in between. */
  onLate: () => void;
}

/** The most topics in one command to the broker. */
const topicsAtOnce = 1_000;

/** Manages this node's subscriptions at the broker: one for each topic with at least one subscriber. */
export class BusSubscriptions {
  readonly #deps: Deps;
  readonly #options: BusSubscriptionsOptions;
  readonly #interest: Interest<Publication>;
  /** Pending subscriptions, by topic. */
  readonly #joins = new Map<string, Promise<void>>();
  /** The topics to subscribe to at the end of this turn of the event loop, in one command. */
  #joining: { topics: string[]; done: Promise<void> } | undefined;

  constructor(deps: Deps, options: BusSubscriptionsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#interest = new Interest(options.lingerMs, (topic) => this.#leave(topic));
  }

  /** Calls the topic's subscribers. */
  call(topic: string, publication: Publication): void {
    this.#interest.call(topic, publication);
  }

  /** Adds a subscriber. Resolves when the broker has answered, has not answered in time, or is unreachable. */
  async add(topic: string, handler: (publication: Publication) => void): Promise<Unsubscribe> {
    if (this.#interest.add(topic, handler)) {
      this.#joining ??= { topics: [], done: Promise.resolve().then(() => this.#join()) };
      this.#joining.topics.push(topic);
      this.#joins.set(topic, this.#joining.done);
    }
    await this.#joins.get(topic);
    return async () => this.#interest.remove(topic, handler);
  }

  /** Subscribes to all topics over a new connection. Throws the link's error if that fails. */
  restore(link: Link): Promise<void> {
    return this.#subscribe(link, this.#interest.topics);
  }

  close(): void {
    this.#interest.close();
  }

  async #join(): Promise<void> {
    const { topics } = this.#joining!;
    this.#joining = undefined;
    const { link } = this.#deps.connection();
    if (link) await this.#waitFor(link, topics);
    for (const topic of topics) this.#joins.delete(topic);
  }

  async #waitFor(link: Link, topics: readonly string[]): Promise<void> {
    let late = false;
    const joined = this.#subscribe(link, topics).then(
      () => late && this.#deps.onLate(),
      (error) => this.#deps.connection().replace(link, error),
    );
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        late = true;
        resolve();
      }, this.#options.subscribeTimeoutMs);
    });
    await untilBroken(link, Promise.race([joined, timeout]));
    clearTimeout(timer);
  }

  async #subscribe(link: Link, topics: readonly string[]): Promise<void> {
    const parts: Promise<void>[] = [];
    for (let i = 0; i < topics.length; i += topicsAtOnce) parts.push(link.subscribe(topics.slice(i, i + topicsAtOnce)));
    await Promise.all(parts);
  }

  #leave(topic: string): void {
    const { link } = this.#deps.connection();
    link?.unsubscribe([topic]).catch((error) => this.#deps.connection().replace(link, error));
  }
}
