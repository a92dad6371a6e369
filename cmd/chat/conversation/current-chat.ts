import type {
  ChangeReceipt,
  Chat,
  ChatClient,
  Message,
  ReactionChanged,
  SendOptions,
} from '../../../pkg/chat-client/index.ts';
import { ChatClientError, ChatRole, ChatType } from '../../../pkg/chat-client/index.ts';
import { mentionsIn } from '../service/mentions-in.ts';
import { readPages } from '../service/pages.ts';
import { findUserId, listOnline, nameList } from '../service/people.ts';
import {
  changedLine,
  changeLine,
  chatPlace,
  chatTitle,
  formatTime,
  isGrowing,
  messageLine,
  roleName,
  sentLine,
  systemLine,
  unreadNote,
  userName,
  type Viewpoint,
} from '../text/format.ts';
import { plainName } from '../text/plain-text.ts';
import type { Style } from '../text/style.ts';
import { ChatDirectory } from './chat-directory.ts';
import { Quotes } from './quotes.ts';

/** The room that the user returns to. */
export const homeRoom = 'global';
/** A page size that every service accepts. */
const historyPage = 50;
/** How many unread messages are shown on entering a chat; `/history` shows more. */
const maxUnreadShown = 50;
/** How many mentions are shown. */
const maxMentionsShown = 20;
/** How many pages of the history are searched for the user's last message. */
const maxPagesBack = 4;

interface Deps {
  client: ChatClient;
  print: (lines: string) => void;
  style: Style;
  /** Called when the current chat changes. */
  onEntered: () => void;
  /** Called when the user has marked messages of the chat as unread, or muted it. */
  onSetAside: (chat: Chat) => void;
  onExit: () => void;
}

/** What a user does in the program: one method for each command. The methods print their result, and throw what the client throws. */
export class CurrentChat {
  readonly chats: ChatDirectory;
  readonly #deps: Deps;
  readonly #client: ChatClient;
  /** Ids of messages sent from here that the chat has not delivered yet. */
  readonly #sentHere = new Set<string>();
  readonly #quotes: Quotes;
  readonly #leaving = new Set<string>();
  /** Ids of messages that are being changed from here, until the answer. */
  readonly #changing = new Map<string, Promise<void>>();
  /** Changes made from here that the chat has not delivered yet: `<message id> <number>`. */
  readonly #changedHere = new Set<string>();
  /** The messages that are still growing and are not printed yet, with their chats. */
  readonly #growing = new Map<string, Chat>();
  #userId = '';
  #name = '';
  /** The chats in the order in which `/chats` numbered them. */
  #listed: Chat[] = [];
  #evictions = 0;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#client = deps.client;
    this.#quotes = new Quotes(deps.client);
    this.chats = new ChatDirectory(async (chatId) => {
      const { chat } = await deps.client.call('getChat', { chatId });
      if (!chat) throw new Error('the service left out the chat');
      return chat;
    });
    deps.client.on('state', (state) => {
      if (state.kind !== 'online') return;
      this.#userId = state.user.id;
      this.#name = state.user.name;
    });
  }

  /** How often the user was removed from the current chat. Lines typed before must not go to the next chat. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Prints a line from the program itself. The text must be plain. */
  say(text: string): void {
    this.#deps.print(systemLine(text, this.#deps.style));
  }

  /** Prints a message, unless it has nothing to show. `numbered`: after its number, if it is one that users may change. */
  async show(message: Message, chat: Chat, { numbered = false } = {}): Promise<void> {
    const { style, print } = this.#deps;
    this.#quotes.note(message);
    const original = await this.#quotes.find(message);
    const view: Viewpoint = { userId: this.#userId, currentChatId: this.chats.current?.id };
    const line = messageLine(message, chat, view, style, undefined, original);
    if (line !== undefined) print(numbered && !message.system ? `${style.dim(`#${message.seq}`)} ${line}` : line);
  }

  /** Prints a new message; one that is still growing, when it has ended. */
  async showNew(message: Message, chat: Chat): Promise<void> {
    if (isGrowing(message)) this.#growing.set(message.id, chat);
    else await this.show(message, chat);
  }

  /** Tells the new state of a message of the current chat. Those of other chats are seen there. */
  async showChange(message: Message): Promise<void> {
    this.#quotes.note(message);
    // After a reconnection it tells how far the message has grown.
    if (isGrowing(message)) return;
    const grown = this.#growing.get(message.id);
    if (grown) {
      this.#growing.delete(message.id);
      if (!message.deletedAt) await this.show(message, grown);
      return;
    }
    // The answer says which number the user's own change got, and may come after the change itself.
    await this.#changing.get(message.id);
    const ownChange = this.#changedHere.delete(`${message.id} ${message.updateSeq}`);
    if (ownChange || message.hidden || message.chatId !== this.chats.current?.id) return;
    this.#deps.print(changeLine(message, this.#deps.style));
  }

  /** Whether the message is already known here: it was sent from here, or says that this user joined. Call once for each message. */
  isOwnEcho(message: Message): boolean {
    const { sender, clientMessageId, system } = message;
    this.#quotes.note(message);
    if (sender?.id !== this.#userId) return false;
    const event = system?.event?.$case;
    return event === 'memberJoined' || event === 'chatCreated' || this.#sentHere.delete(clientMessageId);
  }

  /** To be called when the membership in a chat has ended. Returns the chat, unless the user left it here. */
  removed(chatId: string): { chat: Chat; wasCurrent: boolean } | undefined {
    const wasCurrent = this.chats.current?.id === chatId;
    const chat = this.chats.remove(chatId);
    if (this.#leaving.delete(chatId) || !chat) return undefined;
    if (wasCurrent) {
      this.#evictions += 1;
      this.#deps.onEntered();
    }
    return { chat, wasCurrent };
  }

  /** Sends to the current chat; resolves when it is committed. `original`: the message that it replies to. */
  async send(text: string, options: SendOptions = {}, original?: Message): Promise<void> {
    const { current } = this.chats;
    if (!current) throw new Error('you are in no room; /join one');
    const clientMessageId = crypto.randomUUID();
    this.#sentHere.add(clientMessageId);
    try {
      const mentions = await mentionsIn(this.#client, current, text);
      await this.#client.send(current.id, text, { ...options, clientMessageId, mentions });
    } catch (error) {
      this.#sentHere.delete(clientMessageId);
      throw error;
    }
    this.#deps.print(sentLine(current, text, this.#deps.style, original));
  }

  /** Replies to a message of the current chat: the last one, or the one with this number. A reply to a message of a thread is in the thread. */
  async reply(seq: number | undefined, text: string): Promise<void> {
    const message = await this.#findNamed(seq);
    if (message) await this.send(text, { replyTo: message.id, root: message.rootId || undefined }, message);
  }

  /** Reacts to a message of the current chat, or takes the user's reaction back. */
  async react(seq: number | undefined, emoji: string): Promise<void> {
    const named = await this.#findNamed(seq);
    if (!named) return;
    const { chatId, id: messageId } = named;
    const { message } = await this.#client.call('getMessage', { chatId, messageId });
    const own = message?.reactions.some((one) => one.emoji === emoji && one.own) ?? false;
    await (own ? this.#client.unreact(chatId, messageId, emoji) : this.#client.react(chatId, messageId, emoji));
    this.say(own ? `You took ${emoji} back from #${named.seq}` : `You reacted with ${emoji} to #${named.seq}`);
  }

  /** Says that somebody else has reacted to a message of the current chat, or has taken the reaction back. */
  showReaction({ chatId, messageSeq, user, emoji, added }: ReactionChanged): void {
    if (chatId !== this.chats.current?.id || !user || user.id === this.#userId) return;
    const what = added ? `reacted with ${emoji} to` : `took ${emoji} back from`;
    this.say(`${userName(user)} ${what} #${messageSeq}`);
  }

  /** Shows the thread of a message of the current chat, or writes in it. */
  async thread(seq: number | undefined, text: string): Promise<void> {
    const { current } = this.chats;
    const message = await this.#findNamed(seq);
    if (!current || !message) return;
    if (text !== '') return this.send(text, { root: message.rootId || message.id });
    const { root, messages, hasMore } = await this.#client.listThread(current.id, message.id);
    if (!root) throw new Error('the service left out the root');
    const count = root.thread?.replyCount ?? 0;
    this.say(
      `The thread of #${root.seq} has ${count} ${count === 1 ? 'message' : 'messages'}${hasMore ? ', the last:' : ''}`,
    );
    for (const one of [root, ...messages]) await this.show({ ...one, rootId: '' }, current, { numbered: true });
    const last = messages.at(-1);
    if (!last) return;
    // Who does not follow it has no read mark in it.
    await this.#client.markThreadRead(current.id, root.id, last.seq).catch((error) => {
      if (!(error instanceof ChatClientError && error.reason === 'THREAD_NOT_FOLLOWED')) throw error;
    });
  }

  /** Replaces the text of a message of the current chat: the user's last one, or the one with this number. */
  async edit(seq: number | undefined, text: string): Promise<void> {
    await this.#change(seq, async (chat, message) => {
      const mentions = await mentionsIn(this.#client, chat, text);
      const receipt = await this.#client.edit(chat.id, message.id, text, { mentions });
      this.#deps.print(changedLine('edit', chat, text, this.#deps.style));
      return receipt;
    });
  }

  /** Deletes a message of the current chat: the user's last one, or the one with this number. */
  async delete(seq: number | undefined): Promise<void> {
    await this.#change(seq, async (chat, message) => {
      const receipt = await this.#client.delete(chat.id, message.id);
      this.#deps.print(changedLine('delete', chat, message.text, this.#deps.style));
      return receipt;
    });
  }

  async listUsers(roomName: string): Promise<void> {
    if (roomName === '') return this.say(`Users online: ${enumerate(await listOnline(this.#client), nameList)}`);
    const room = this.chats.findRoom(roomName) ?? (await this.#findRoom(roomName));
    if (!room) return this.say(`There is no room ${plainName(roomName)}`);
    const online = await listOnline(this.#client, room.id);
    this.say(`Users in ${chatTitle(room)}: ${enumerate(online, nameList)}`);
  }

  async listRooms(filter: string): Promise<void> {
    const rooms = await this.#rooms(filter);
    const titles = enumerate(rooms, (items) => items.map(chatTitle).join(', '));
    this.say(filter === '' ? `Rooms: ${titles}` : `Rooms with "${plainName(filter)}": ${titles}`);
  }

  async joinRoom(name: string): Promise<void> {
    const room = await this.#client.joinRoom(name);
    this.#enter(room);
    this.say(`Joined room: ${chatTitle(room)}`);
  }

  async listChats(): Promise<void> {
    this.#listed = await this.#client.chats();
    const width = String(this.#listed.length).length;
    const lines = this.#listed.map((chat, i) => {
      const here = chat.id === this.chats.current?.id ? ' (here)' : '';
      return `  ${String(i + 1).padStart(width)}  ${chatPlace(chat)}${here}${here ? '' : unreadNote(chat)}`;
    });
    this.say(lines.length === 0 ? 'You are in no chat yet' : ['Your chats:', ...lines].join('\n'));
  }

  /** Finds a chat by its number in the last list, its name as shown, a room's name, or its id. */
  async switchTo(wanted: string): Promise<void> {
    const numbered = /^\d+$/.test(wanted) ? this.#listed[Number(wanted) - 1] : undefined;
    const all = numbered ? [] : await this.#client.chats();
    const found =
      numbered ?? all.find((chat) => [chat.id, chat.name, chatPlace(chat), chatTitle(chat)].includes(wanted));
    if (!found) return this.say(`You are in no chat ${plainName(wanted)}; /chats lists them`);
    const { chat } = await this.#client.call('getChat', { chatId: found.id });
    if (!chat) throw new Error('the service left out the chat');
    this.#enter(chat);
    this.say(`Now in ${chatPlace(chat)}`);
    // From here on the messages count as read, so they must be shown.
    if (chat.unreadCount > 0) await this.showHistory(Math.min(chat.unreadCount, maxUnreadShown));
  }

  async listMembers(): Promise<void> {
    const { current } = this.chats;
    if (!current) return this.say('You are in no room; /join one');
    const { items, complete } = await readPages(async (pageToken) => {
      const { members, nextPageToken } = await this.#client.call('listMembers', { chatId: current.id, pageToken });
      return { items: members, nextPageToken };
    });
    const names = items.map(({ user, role }) => {
      const name = userName(user ?? { id: '?', name: '' });
      return role === ChatRole.MEMBER ? name : `${name} (${roleName(role).replace(/^an? /, '')})`;
    });
    this.say(`Members of ${chatPlace(current)}: ${enumerate({ items: names, complete }, (all) => all.join(', '))}`);
  }

  tellWho(): void {
    this.say(
      this.#userId === '' ? 'Not signed in yet' : `You are ${plainName(this.#name)} (${plainName(this.#userId)})`,
    );
  }

  async openDirect(nameOrId: string): Promise<void> {
    const userId = await findUserId(this.#client, nameOrId);
    if (userId === this.#userId) return this.say('That is you');
    const chat = await this.#client.openDirect(userId);
    this.#enter(chat);
    this.say(`Now talking to ${chatTitle(chat)}; /leave returns to ${homeRoom}`);
    const { items: online } = await listOnline(this.#client, chat.id);
    if (online.some(({ id }) => id === userId)) return;
    this.say(`${userName(chat.peer ?? { id: userId, name: '' })} is not online and will see it later`);
  }

  /** Leaves the current room or group; a direct chat only stops being the current chat. */
  async leave(): Promise<void> {
    const { current } = this.chats;
    if (current?.type === ChatType.ROOM && current.name === homeRoom) {
      return this.say(`You cannot leave ${homeRoom}; /exit ends the program`);
    }
    if (current && current.type !== ChatType.DIRECT) {
      this.#leaving.add(current.id);
      try {
        await this.#client.call('leaveChat', { chatId: current.id });
      } catch (error) {
        this.#leaving.delete(current.id);
        throw error;
      }
      this.chats.remove(current.id);
    }
    await this.returnHome();
  }

  async returnHome(): Promise<void> {
    this.chats.leaveCurrent();
    this.#deps.onEntered();
    this.#enter(await this.#client.joinRoom(homeRoom));
    this.say(`Returned to ${homeRoom} chat`);
  }

  async showHistory(count: number): Promise<void> {
    const { current } = this.chats;
    if (!current) return this.say('You are in no room; /join one');
    let messages: Message[] = [];
    while (messages.length < count) {
      const pageSize = Math.min(count - messages.length, historyPage);
      const page = await this.#client.history(current.id, { beforeSeq: messages[0]?.seq, pageSize });
      messages = [...page, ...messages];
      if (page.length < pageSize) break;
    }
    if (messages.length === 0) return this.say(`There are no messages in ${chatPlace(current)} yet`);
    this.say(`The last ${messages.length} in ${chatPlace(current)}:`);
    for (const message of messages) await this.show(message, current, { numbered: true });
  }

  /** Lists the newest messages of all chats that mention the user. */
  async listMentions(): Promise<void> {
    const { messages } = await this.#client.mentions({ pageSize: maxMentionsShown });
    if (messages.length === 0) return this.say('Nobody has mentioned you');
    this.say('You were mentioned:');
    for (const message of messages.toReversed()) await this.show(message, await this.chats.get(message.chatId));
  }

  /** Marks the messages of the current chat as unread, from this number on or the newest one. */
  async markUnread(seq: number | undefined): Promise<void> {
    const { current } = this.chats;
    if (!current) return this.say('You are in no room; /join one');
    const [newest] = await this.#client.history(current.id, { pageSize: 1 });
    const fromSeq = seq ?? newest?.seq;
    if (fromSeq === undefined) return this.say(`There are no messages in ${chatPlace(current)} yet`);
    const { unreadCount } = await this.#client.markUnread(current.id, fromSeq);
    this.#deps.onSetAside({ ...current, unreadCount });
    this.say(`${unreadCount} unread in ${chatPlace(current)}, until you go there again`);
  }

  /** Mutes the current chat for some hours; 0 ends it. */
  async mute(hours: number): Promise<void> {
    const { current } = this.chats;
    if (!current) return this.say('You are in no room; /join one');
    const mutedUntil = hours > 0 ? new Date(Date.now() + hours * 3_600_000) : undefined;
    await this.#client.mute(current.id, mutedUntil);
    this.#deps.onSetAside({ ...current, unreadCount: 0 });
    const until = mutedUntil ? `is muted until ${formatTime(mutedUntil)}` : 'is not muted any more';
    this.say(`${chatPlace(current)} ${until}`);
  }

  exit(): void {
    this.#deps.onExit();
  }

  async #change(
    seq: number | undefined,
    change: (chat: Chat, message: Message) => Promise<ChangeReceipt>,
  ): Promise<void> {
    const { current } = this.chats;
    if (!current) return this.say('You are in no room; /join one');
    const message = await (seq === undefined ? this.#findLastOwn(current.id) : this.#findMessage(current.id, seq));
    if (!message) {
      const what = seq === undefined ? 'message of yours' : `message #${seq}`;
      return this.say(`There is no ${what} in ${chatPlace(current)}; /history shows the numbers`);
    }
    const answered = Promise.withResolvers<void>();
    this.#changing.set(message.id, answered.promise);
    try {
      const { seq: changeSeq } = await change(current, message);
      this.#changedHere.add(`${message.id} ${changeSeq}`);
    } finally {
      this.#changing.delete(message.id);
      answered.resolve();
    }
  }

  /** Returns the message with this number, or the last one; says so if there is none. */
  async #findNamed(seq: number | undefined): Promise<Message | undefined> {
    const { current } = this.chats;
    if (!current) {
      this.say('You are in no room; /join one');
      return undefined;
    }
    const found = await (seq === undefined
      ? this.#client
          .history(current.id, { pageSize: historyPage })
          .then((page) => page.findLast(({ system }) => !system))
      : this.#findMessage(current.id, seq));
    if (!found)
      this.say(
        `There is no message${seq === undefined ? '' : ` #${seq}`} in ${chatPlace(current)}; /history shows the numbers`,
      );
    return found;
  }

  async #findMessage(chatId: string, seq: number): Promise<Message | undefined> {
    const [message] = await this.#client.history(chatId, { beforeSeq: seq + 1, pageSize: 1 });
    return message?.seq === seq && !message.system ? message : undefined;
  }

  /** Looks among the newest messages only: nobody means an older one without saying which. */
  async #findLastOwn(chatId: string): Promise<Message | undefined> {
    let before: number | undefined;
    for (let page = 0; page < maxPagesBack; page++) {
      const messages = await this.#client.history(chatId, { beforeSeq: before, pageSize: historyPage });
      const own = messages.findLast(
        ({ sender, system, deletedAt }) => sender?.id === this.#userId && !system && !deletedAt,
      );
      if (own || messages.length < historyPage) return own;
      before = messages[0]!.seq;
    }
    return undefined;
  }

  #enter(chat: Chat): void {
    this.chats.enter(chat);
    this.#deps.onEntered();
  }

  async #findRoom(name: string): Promise<Chat | undefined> {
    const { items } = await this.#rooms(name, (room) => room.name === name);
    return items.find((room) => room.name === name);
  }

  #rooms(filter: string, until?: (room: Chat) => boolean) {
    const read = async (pageToken: string) => {
      const { rooms, nextPageToken } = await this.#client.call('listRooms', { filter, pageToken });
      return { items: rooms, nextPageToken };
    };
    return readPages(read, { until });
  }
}

function enumerate<T>({ items, complete }: { items: T[]; complete: boolean }, toText: (items: T[]) => string): string {
  if (items.length === 0) return 'none';
  return complete ? toText(items) : `${toText(items)}, and more`;
}
