import type { ChatClient, ConnectionState } from '../../../pkg/chat-client/index.ts';
import { explain } from '../text/explain.ts';
import { userName } from '../text/format.ts';

interface Deps {
  client: ChatClient;
  /** `host:port` */
  address: string;
  say: (text: string) => void;
  /** Called after each change of `status`. */
  onChanged: () => void;
}

/** Prints a line when the connection is lost, and one when it is back. */
export class ConnectionNews {
  readonly #deps: Deps;
  #everOnline = false;
  #status: 'connecting' | 'online' | 'offline' = 'connecting';

  constructor(deps: Deps) {
    this.#deps = deps;
    deps.client.on('state', (state) => this.#changed(state));
  }

  /** `connecting` only before the first answer or failure. */
  get status(): 'connecting' | 'online' | 'offline' {
    return this.#status;
  }

  #changed(state: ConnectionState): void {
    const { address, say, onChanged } = this.#deps;
    const before = this.#status;
    switch (state.kind) {
      case 'online':
        this.#status = 'online';
        if (this.#everOnline) say('Connected again');
        else say(`Connected to ${address} as ${userName(state.user)}. Type /help for the commands.`);
        this.#everOnline = true;
        break;
      case 'offline':
        this.#status = 'offline';
        if (before === 'online') say(`Connection lost: ${explain(state.error)}; trying again`);
        else if (before === 'connecting') say(`No connection to ${address}: ${explain(state.error)}; trying again`);
        break;
      case 'connecting':
      case 'closed':
        return;
      default:
        state satisfies never;
    }
    onChanged();
  }
}
