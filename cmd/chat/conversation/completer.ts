import type { ChatClient } from '../../../pkg/chat-client/index.ts';
import { listOnline } from '../service/people.ts';
import type { Completion } from '../terminal/terminal-screen.ts';
import { chatPlace } from '../text/format.ts';
import type { ChatDirectory } from './chat-directory.ts';
import { commands } from './commands.ts';

/** Completes commands, their parameters (rooms, users, chats), and `@` with the beginning of a name in a message. */
export class Completer {
  readonly #client: ChatClient;
  readonly #chats: ChatDirectory;

  constructor(client: ChatClient, chats: ChatDirectory) {
    this.#client = client;
    this.#chats = chats;
  }

  /** Never throws: while the service is away there are fewer hits. */
  async complete(line: string): Promise<Completion> {
    const [, name, part = ''] = /^\/(\w+) (\S*)$/.exec(line) ?? [];
    try {
      if (name !== undefined) return startingWith(part, await this.#argumentsOf(name, part));
      if (line.startsWith('/')) return startingWith(line, commandNames());
      const [word = ''] = /@\S*$/.exec(line) ?? [];
      if (word !== '')
        return startingWith(
          word,
          (await this.#users()).map((user) => `@${user} `),
        );
    } catch {
      // A completion that fails has no hits.
    }
    return { part: line, hits: [] };
  }

  async #argumentsOf(command: string, part: string): Promise<string[]> {
    switch (commands.find(({ name }) => name === command)?.completes) {
      case 'room': {
        const { rooms } = await this.#client.call('listRooms', { filter: part, pageSize: 200 });
        return rooms.map(({ name }) => name);
      }
      case 'user':
        return this.#users();
      case 'chat':
        return this.#chats.all.map(chatPlace).filter((place) => !/\s/.test(place));
      default:
        return [];
    }
  }

  async #users(): Promise<string[]> {
    const { items } = await listOnline(this.#client);
    // A name with a space would count as two words.
    return items.map(({ name, id }) => name || id).filter((name) => /^[^\s\p{C}]+$/u.test(name));
  }
}

function startingWith(part: string, names: readonly string[]): Completion {
  const hits = [...new Set(names)].filter((name) => name.toLowerCase().startsWith(part.toLowerCase())).sort();
  return { part, hits };
}

function commandNames(): string[] {
  return commands.map(({ name, parameters }) => `/${name}${parameters && ' '}`);
}
