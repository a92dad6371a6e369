import { type Chat, ChatType } from '../../../pkg/api/chat/v1/chat.ts';
import type { ChatCalls, Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { StreamProbe } from './stream-probe.ts';

type Calls = {
  [Method in keyof ChatCalls]: (request: Parameters<ChatCalls[Method]>[0]) => ReturnType<ChatCalls[Method]>;
};

/** A signed-in user on one transport. */
export interface Person {
  id: string;
  name: string;
  token: string;
  /** The unary calls, made by this user. */
  chat: Calls;
  /** Opens a stream and waits for `welcome`. The stream ends by its `close`, or when the transport closes. */
  connect(): Promise<StreamProbe>;
  /** Opens a stream without waiting for `welcome`. */
  open(): StreamProbe;
}

let lastName = 0;

/** Returns a name that no other test of the file uses. */
export function uniqueName(name: string): string {
  lastName += 1;
  return `${name}-${lastName}`;
}

/** Signs in a guest with a unique name. */
export async function signIn(transport: Transport, name: string): Promise<Person> {
  const { accessToken, userId, name: given } = await transport.auth.guest({ name: uniqueName(name) }, {});
  return personOf(transport, { id: userId, name: given, token: accessToken });
}

/** Returns the person with an existing token. */
export function personOf(transport: Transport, user: { id: string; name: string; token: string }): Person {
  const { token } = user;
  const methods = Object.keys(transport.chat) as (keyof ChatCalls)[];
  const bound = methods.map((method) => {
    const call = transport.chat[method] as (request: unknown, options: object) => unknown;
    return [method, (request: unknown) => call(request, { token })];
  });
  const open = () => new StreamProbe(transport, token);
  return {
    ...user,
    chat: Object.fromEntries(bound) as Calls,
    open,
    async connect() {
      const stream = open();
      await stream.nextOf('welcome');
      return stream;
    },
  };
}

/** Creates a group of these people, owned by the first. */
export async function newGroup(owner: Person, ...others: Person[]): Promise<Chat> {
  const memberIds = others.map(({ id }) => id);
  return (await owner.chat.createChat({ type: ChatType.GROUP, name: uniqueName('group'), memberIds })).chat!;
}

/** Creates a room with these people as members, owned by the first. */
export async function newRoom(owner: Person, ...others: Person[]): Promise<Chat> {
  const name = uniqueName('room');
  const { chat } = await owner.chat.createChat({ type: ChatType.ROOM, name });
  for (const other of others) await other.chat.joinRoom({ name });
  return chat!;
}

/** Sends a message with a new client message id, and returns the receipt. */
export function say(sender: Person, chat: { id: string }, text: string) {
  return sender.chat.sendMessage({ chatId: chat.id, text, clientMessageId: crypto.randomUUID() });
}

/** Sends `text from` to `text to` to each of the chats, one after the other. */
export async function sayAll(
  sender: Person,
  chats: readonly { id: string }[],
  from: number,
  to: number,
): Promise<void> {
  for (let number = from; number <= to; number += 1) {
    await Promise.all(chats.map((chat) => say(sender, chat, `text ${number}`)));
  }
}
