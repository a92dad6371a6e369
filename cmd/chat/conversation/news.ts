import { type ChatClient, ChatType, type Message, RemovalReason } from '../../../pkg/chat-client/index.ts';
import { explain } from '../text/explain.ts';
import { chatPlace, userName } from '../text/format.ts';
import { type CurrentChat, homeRoom } from './current-chat.ts';

/** Prints what others do, one event after the other, since it may have to load an unknown chat first. */
export class News {
  readonly #conversation: CurrentChat;
  readonly #returnsHome: boolean;
  #last: Promise<void> = Promise.resolve();

  /** `returnsHome`: whether a user who is removed from the current chat enters the first room again. */
  constructor(client: ChatClient, conversation: CurrentChat, { returnsHome }: { returnsHome: boolean }) {
    this.#conversation = conversation;
    this.#returnsHome = returnsHome;
    client.on('chatAdded', (chat) => conversation.chats.add(chat));
    client.on('message', (message) => this.#then(() => this.#show(message)));
    client.on('messageChanged', (message) => this.#then(() => conversation.showChange(message)));
    client.on('reaction', (change) => this.#then(async () => conversation.showReaction(change)));
    client.on('chatRemoved', ({ chatId, reason }) => this.#then(() => this.#removed(chatId, reason)));
    client.on('presence', ({ chatId, user, online }) => {
      const { current } = conversation.chats;
      if (!user || current?.id !== chatId || current.type !== ChatType.DIRECT) return;
      conversation.say(`${userName(user)} is ${online ? 'online' : 'offline'}`);
    });
    client.on('reset', ({ chatId }) => this.#then(() => this.#reset(chatId)));
  }

  #then(tell: () => Promise<void>): void {
    this.#last = this.#last.then(tell).catch((error) => this.#conversation.say(`Not shown: ${explain(error)}`));
  }

  async #show(message: Message): Promise<void> {
    const chat = await this.#conversation.chats.get(message.chatId);
    if (!this.#conversation.isOwnEcho(message)) await this.#conversation.showNew(message, chat);
    this.#conversation.chats.receive(message);
  }

  async #removed(chatId: string, reason: RemovalReason): Promise<void> {
    const removed = this.#conversation.removed(chatId);
    if (!removed) return;
    const { chat, wasCurrent } = removed;
    this.#conversation.say(removalText(chatPlace(chat), reason));
    if (!wasCurrent || !this.#returnsHome) return;
    const isHome = chat.type === ChatType.ROOM && chat.name === homeRoom;
    // A user who was removed from the first room must not join it again automatically.
    if (!isHome || reason === RemovalReason.DELETED) await this.#conversation.returnHome();
  }

  async #reset(chatId: string): Promise<void> {
    const chat = await this.#conversation.chats.get(chatId);
    this.#conversation.say(`${chatPlace(chat)} is not as it was, the service has restored a backup: see /history`);
  }
}

function removalText(place: string, reason: RemovalReason): string {
  switch (reason) {
    case RemovalReason.LEFT:
      return `You left ${place} on another device`;
    case RemovalReason.REMOVED:
      return `You were removed from ${place}`;
    case RemovalReason.BANNED:
      return `You were banned from ${place}`;
    case RemovalReason.DELETED:
      return `${place} was deleted`;
    default:
      return `You are no longer in ${place}`;
  }
}
