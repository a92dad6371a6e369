import type { Logger } from 'pino';
import type { Node } from '../../model/node.ts';

/** Where nodes tell that they live. */
export interface NodeTeller {
  /** Records that the node lives. Throws if that did not succeed. */
  tell(node: Node): Promise<void>;

  /** Removes a node that ends. */
  remove(id: string): Promise<void>;
}

interface Deps {
  nodes: NodeTeller;
  /** This process, as it is now. */
  read(): Node;
  log: Logger;
}

/** Tells others that this node lives. */
export class NodeBeat {
  readonly #deps: Deps;
  readonly #timer: NodeJS.Timeout;
  #telling: Promise<void> | undefined;
  #failing = false;

  /** Tells for the first time at once, and then every `everyMs` milliseconds. */
  constructor(deps: Deps, everyMs: number) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#tell(), everyMs);
    this.#timer.unref();
    this.#tell();
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
      .tell(read())
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
