import type {
  AddReactionRequest,
  DeleteMessageRequest,
  EditMessageRequest,
  SendMessageRequest,
} from '../../../pkg/api/chat/v1/chat.ts';
import { ChatClient, type ChatClientError } from '../../../pkg/chat-client/index.ts';
import type { Actor } from './actor.ts';
import type { ChatEnd } from './chat-end.ts';
import { toMessageRecord } from './to-record.ts';

/**
 * Lets the SDK's client make an actor's calls and read its chats. It counts as one reader of a chat for as long as the user is a member, however
 * often the SDK reconnects.
 */
export class SdkReader {
  readonly client: ChatClient;
  readonly #actor: Actor;
  readonly #feeds = new Map<string, { reader: string; position: number; done: Promise<void> }>();
  readonly #ended = new AbortController();
  #feedCount = 0;

  constructor(actor: Actor) {
    this.#actor = actor;
    const { transport } = actor.connection;
    this.client = new ChatClient({ transport, token: async () => actor.tokens.get() });
    this.client.on('chatAdded', ({ id }) => this.follow(id));
    actor.channel = {
      call: async (method, request) => {
        switch (method) {
          case 'sendMessage': {
            const { chatId, text, replyToId: replyTo, rootId: root, ...options } = request as SendMessageRequest;
            return (await this.client.send(chatId, text, { ...options, replyTo, root })) as never;
          }
          case 'editMessage': {
            const { chatId, messageId, text, ...options } = request as EditMessageRequest;
            return (await this.client.edit(chatId, messageId, text, options)) as never;
          }
          case 'deleteMessage': {
            const { chatId, messageId, clientChangeId, ...options } = request as DeleteMessageRequest;
            // The SDK gives every deletion an id.
            const id = clientChangeId === '' ? {} : { clientChangeId };
            return (await this.client.delete(chatId, messageId, { ...options, ...id })) as never;
          }
          case 'addReaction':
          case 'removeReaction': {
            const { chatId, messageId, emoji, ...options } = request as AddReactionRequest;
            const ask = method === 'addReaction' ? 'react' : 'unreact';
            return (await this.client[ask](chatId, messageId, emoji, options)) as never;
          }
          default:
            return (await this.client.call(method, request)) as never;
        }
      },
    };
  }

  start(): void {
    // The client retries until it is closed.
    this.client.connect().catch(() => {});
  }

  /** Reads a chat from its beginning, then live. */
  follow(chatId: string): void {
    if (this.#feeds.has(chatId) || this.#ended.signal.aborted) return;
    const { journal, name: client, user, transportName: via } = this.#actor;
    this.#feedCount += 1;
    const reader = `${client}/feed${this.#feedCount}`;
    const begin = journal.now();
    journal.add({ kind: 'open', at: begin, reader, source: 'feed', client, user, via, chatId, begin, afterSeq: 0 });
    const feed = { reader, position: 0, done: Promise.resolve() };
    this.#feeds.set(chatId, feed);
    feed.done = this.#read(chatId, feed);
  }

  /** Whether its feeds have reached the last messages of all chats. */
  hasReached(ends: ReadonlyMap<string, ChatEnd>): boolean {
    return [...this.#feeds].every(([chatId, { position }]) => {
      const { message, number } = ends.get(chatId) ?? { message: 0, number: Number.POSITIVE_INFINITY };
      // A feed beyond the end has messages of an epoch that is over, and is yet to be told.
      return message <= position && position <= number;
    });
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#feeds.values()].map(({ done }) => done));
    await this.client.close();
  }

  async #read(chatId: string, feed: { reader: string; position: number }): Promise<void> {
    const { journal } = this.#actor;
    let detail: string | undefined;
    let isReset = false;
    try {
      const { signal } = this.#ended;
      const messages = this.client.chat(chatId).messages({ afterSeq: 0, signal });
      let epoch: string | undefined;
      for await (const message of messages) {
        if (messages.epoch !== undefined && messages.epoch !== epoch) {
          epoch = messages.epoch;
          journal.add({ kind: 'reset', at: journal.now(), reader: feed.reader, epoch, from: feed.position });
        }
        journal.add(toMessageRecord(feed.reader, journal.now(), message));
        feed.position = message.seq;
      }
    } catch (error) {
      detail = (error as Error).message;
      isReset = (error as ChatClientError).reason === 'CURSOR_IN_FUTURE';
    }
    const why = this.#ended.signal.aborted ? 'end' : 'told';
    journal.add({ kind: 'close', at: journal.now(), reader: feed.reader, why, ...(detail && { detail }) });
    this.#feeds.delete(chatId);
    // The database has gone back: the application reads the chat anew.
    if (isReset) this.follow(chatId);
  }
}
