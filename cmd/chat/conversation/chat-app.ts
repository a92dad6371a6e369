import type { ChatClient } from '../../../pkg/chat-client/index.ts';
import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import type { Screen } from '../terminal/screen.ts';
import { explain } from '../text/explain.ts';
import { chatPlace, userName } from '../text/format.ts';
import { plainLine, shorten } from '../text/plain-text.ts';
import type { Style } from '../text/style.ts';
import { Activity } from './activity.ts';
import type { ChatDirectory } from './chat-directory.ts';
import { ConnectionNews } from './connection-news.ts';
import { CurrentChat } from './current-chat.ts';
import { News } from './news.ts';
import { type Line, readLine } from './read-line.ts';

interface Deps {
  client: ChatClient;
  screen: Screen;
  style: Style;
  /** `host:port` */
  address: string;
  /** The room to start in. */
  room: string;
}

type Ending = { kind: 'end' | 'interrupt' } | { kind: 'failed'; error: unknown };

/** How long to wait at the exit for acknowledgements, in milliseconds. */
const graceMs = 2_000;
/** The time between attempts to enter the first room, in milliseconds. */
const retryMs = 500;
/** After this time without an acknowledgement the prompt says so, in milliseconds. */
const slowMs = 1_000;
const maxPromptName = 24;
/** How many characters of an unsent message are shown. */
const maxQuote = 120;

/** The interactive program: reads lines and carries them out one after the other. */
export class ChatApp {
  readonly #client: ChatClient;
  readonly #screen: Screen;
  readonly #room: string;
  readonly #conversation: CurrentChat;
  readonly #connection: ConnectionNews;
  readonly #activity: Activity;
  readonly #ending = Promise.withResolvers<Ending>();
  /** Set by `/exit`: lines after it are ignored. */
  #exiting = false;
  #ended = false;
  /** Settles when all lines so far are carried out; the first step is signing in. */
  #work: Promise<void> = Promise.resolve();
  #unsent = 0;
  #failedSends = 0;
  #saidOffline = false;
  #slow = false;

  constructor({ client, screen, style, address, room }: Deps) {
    this.#client = client;
    this.#screen = screen;
    this.#room = room;
    this.#conversation = new CurrentChat({
      client,
      style,
      print: (lines) => screen.print(lines),
      onEntered: () => {
        const { current } = this.#conversation.chats;
        if (current && screen.interactive) this.#activity.entered(current);
        this.#updatePrompt();
      },
      onSetAside: (chat) => this.#activity.setAside(chat),
      onExit: () => {
        this.#exiting = true;
        this.#ending.resolve({ kind: 'end' });
      },
    });
    this.#connection = new ConnectionNews({
      client,
      address,
      say: (text) => this.#conversation.say(text),
      onChanged: () => {
        this.#saidOffline = false;
        this.#updatePrompt();
      },
    });
    this.#activity = new Activity({ client, chats: this.#conversation.chats, onChanged: () => this.#updatePrompt() });
    screen.onTyped((line) => {
      const { current } = this.#conversation.chats;
      if (current && line !== '' && !line.startsWith('/')) client.typing(current.id);
    });
    // A program that writes to a pipe does not notice a change of room: its lines must not go to another one.
    new News(client, this.#conversation, { returnsHome: screen.interactive });
  }

  get chats(): ChatDirectory {
    return this.#conversation.chats;
  }

  /**
   * Runs until the input ends, the user exits, or the signal aborts; then closes the client. Returns the number of messages that were not
   * sent. Throws an error after which continuing is hopeless.
   */
  async run(signal: AbortSignal): Promise<number> {
    const interrupt = () => this.#ending.resolve({ kind: 'interrupt' });
    signal.addEventListener('abort', interrupt, { once: true });
    if (signal.aborted) interrupt();
    const fail = (error: unknown) => this.#ending.resolve({ kind: 'failed', error });
    this.#client.on('state', (state) => state.kind === 'closed' && state.error && fail(state.error));
    this.#updatePrompt();
    this.#work = this.#signIn().catch(fail);
    this.#readInput().catch(fail);
    const ending = await this.#ending.promise;
    signal.removeEventListener('abort', interrupt);
    if (ending.kind === 'end' && this.#connection.status === 'online') await withTimeout(this.#work, graceMs);
    this.#ended = true;
    const notSent = this.#unsent;
    if (notSent > 0) {
      this.#conversation.say(notSent === 1 ? '1 message was not sent' : `${notSent} messages were not sent`);
    }
    await this.#client.close();
    if (ending.kind === 'failed') throw ending.error;
    return notSent + this.#failedSends;
  }

  async #readInput(): Promise<void> {
    const kind = await this.#screen.read((line) => this.#take(line));
    if (!this.#screen.interactive) await this.#work;
    this.#ending.resolve({ kind });
  }

  async #signIn(): Promise<void> {
    await this.#client.connect();
    await this.#persist(() => this.#conversation.joinRoom(this.#room));
    // Lines do not wait for this, and it is not retried.
    if (this.#screen.interactive) this.#tellUnread().catch(() => {});
  }

  async #tellUnread(): Promise<void> {
    const unread = await this.#activity.load();
    if (unread.length === 0) return;
    const counts = unread.slice(0, 10).map((chat) => `${chatPlace(chat)} ${chat.unreadCount}`);
    this.#conversation.say(
      `Unread: ${counts.join(', ')}${unread.length > 10 ? ', and more' : ''}; /switch <chat> goes there`,
    );
  }

  /** Retries until it succeeds or fails permanently. */
  async #persist(action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (this.#ended || !(error instanceof ChatClientError && error.temporary)) throw error;
        await withTimeout(this.#ending.promise, error.retryAfterMs ?? retryMs);
      }
    }
  }

  /** Resolves when the line has been carried out. Never rejects. */
  #take(typed: string): Promise<void> {
    if (this.#exiting) return Promise.resolve();
    const line = readLine(typed);
    switch (line.kind) {
      case 'nothing':
        return Promise.resolve();
      case 'fault':
        this.#conversation.say(line.message);
        return Promise.resolve();
      case 'message':
        return this.#takeMessage(line.text);
      case 'command':
        return this.#takeCommand(line);
      default:
        return line satisfies never;
    }
  }

  #takeMessage(text: string): Promise<void> {
    const { status } = this.#connection;
    if (status === 'online') {
      this.#screen.eraseTyped();
    } else if (status === 'offline' && !this.#saidOffline) {
      this.#saidOffline = true;
      this.#conversation.say('Not connected: what you write is sent when the connection is back');
    }
    this.#unsent += 1;
    const { evictions } = this.#conversation;
    return this.#enqueue(() => this.#send(text, evictions));
  }

  #takeCommand({ command, argument, messageSeq }: Line & { kind: 'command' }): Promise<void> {
    const run = () => command.run(this.#conversation, argument, messageSeq);
    if (command.local) return Promise.resolve(run());
    if (this.#screen.interactive && this.#connection.status === 'offline') {
      this.#conversation.say(`Not connected: /${command.name} has to wait for the service`);
      return Promise.resolve();
    }
    return this.#enqueue(async () => {
      try {
        await run();
      } catch (error) {
        if (this.#ended) return;
        // A program that writes to a pipe does not notice the failure: its lines must not go to the chat that it wanted to leave.
        if (command.moves && !this.#screen.interactive) this.#conversation.chats.leaveCurrent();
        this.#conversation.say(`/${command.name} failed: ${explain(error)}`);
      }
    });
  }

  async #send(text: string, evictions: number): Promise<void> {
    const slow = setTimeout(() => this.#setSlow(true), slowMs);
    try {
      if (evictions !== this.#conversation.evictions) throw new Error('you are no longer in the chat that it was for');
      await this.#conversation.send(text);
      this.#unsent -= 1;
    } catch (error) {
      // At the end only the number of unsent messages is printed.
      if (this.#ended) return;
      this.#unsent -= 1;
      this.#failedSends += 1;
      this.#conversation.say(`Not sent: ${explain(error)}\n  | ${shorten(plainLine(text), maxQuote)}`);
    } finally {
      clearTimeout(slow);
      this.#setSlow(false);
    }
  }

  #enqueue(action: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(() => (this.#ended ? undefined : action()));
    return this.#work;
  }

  #setSlow(slow: boolean): void {
    this.#slow = slow;
    this.#updatePrompt();
  }

  #marks(): string[] {
    const { typing, unread } = this.#activity;
    const [first] = typing;
    return [
      ...(this.#slow ? ['sending'] : []),
      ...(unread > 0 ? [`${unread} unread`] : []),
      ...(typing.length === 1 && first ? [`${shorten(userName(first), maxPromptName)} is typing`] : []),
      ...(typing.length > 1 ? [`${typing.length} are typing`] : []),
    ];
  }

  #updatePrompt(): void {
    const { current } = this.#conversation.chats;
    const place = current ? shorten(chatPlace(current), maxPromptName) : '';
    const { status } = this.#connection;
    const marks = status === 'online' ? this.#marks() : [status];
    this.#screen.setPrompt(`${place}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}> `.trimStart());
  }
}

async function withTimeout(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
