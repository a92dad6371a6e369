import type { Logger } from 'pino';
import type { Node, SeenNode } from '../../model/node.ts';
import type { NodeRepository } from '../../repository/node-repository.ts';

interface Deps {
  nodes: NodeRepository;
  /** This process, as it is now. */
  read(): Node;
  log: Logger;
}

interface Options {
  everyMs: number;
  /** How long after its last news a node counts as ended, in milliseconds. */
  expireAfterMs: number;
}

/** Tells other nodes that this one lives, and which others do. */
export class NodeBeat {
  readonly #deps: Deps;
  readonly #options: Options;
  readonly #timer: NodeJS.Timeout;
  #telling: Promise<void> | undefined;
  #failing = false;

  /** Tells for the first time at once. */
  constructor(deps: Deps, options: Options) {
    this.#deps = deps;
    this.#options = options;
    this.#timer = setInterval(() => this.#tell(), options.everyMs);
    this.#timer.unref();
    this.#tell();
  }

  /** The nodes that live. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
  list(): Promise<SeenNode[]> {
    return this.#deps.nodes.list(this.#options.expireAfterMs);
  }

  /** Tells others that this node ends. Never throws: they notice it later. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#telling;
    const { nodes, read, log } = this.#deps;
    await nodes.remove(read().id).catch((err: unknown) => log.debug({ err }, 'could not tell that this node ends'));
  }

  #tell(): void {
    const { nodes, read, log } = this.#deps;
    this.#telling ??= nodes
      .tell(read(), this.#options.expireAfterMs)
      .then(
        () => {
          this.#failing = false;
        },
        (err: unknown) => {
          // One line in the log, however long the database is away.
          if (!this.#failing) log.warn({ err }, 'could not tell that this node lives; trying again');
          this.#failing = true;
        },
      )
      .finally(() => {
        this.#telling = undefined;
      });
  }
}
