import { type Chat, type ChatClient, ChatType, type User } from '../../../pkg/chat-client/index.ts';
import { userName } from '../text/format.ts';
import { plainName } from '../text/plain-text.ts';
import { type Found, readPages } from './pages.ts';

/** More than one user bears the name. */
export class AmbiguousNameError extends Error {
  constructor(users: readonly User[]) {
    super(`there are several; give one of these instead: ${users.map(({ id }) => id).join(', ')}`);
  }
}

const guestName = /^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u;

/** The users with an open connection: all, or those in one chat. */
export function listOnline(client: ChatClient, chatId?: string): Promise<Found<User>> {
  return readPages(async (pageToken) => {
    const { users, nextPageToken } = await client.call('listOnlineUsers', { chatId, pageToken });
    return { items: users, nextPageToken };
  });
}

/**
 * The id of the user meant by a name or id: somebody online, or a member of one of the caller's chats; else it is taken for an
 * id or, if it cannot be one, for a guest's name. Throws AmbiguousNameError, and what the calls throw.
 */
export async function findUserId(client: ChatClient, nameOrId: string): Promise<string> {
  const { items: online } = await listOnline(client);
  const exactlyOnline = pickExact(online, nameOrId);
  if (exactlyOnline) return exactlyOnline.id;
  const everyone = [...online, ...(await listAcquaintances(client))];
  const found = pickExact(everyone, nameOrId) ?? pickInAnyCase(everyone, nameOrId);
  return found?.id ?? (guestName.test(nameOrId) ? `guest:${nameOrId}` : nameOrId);
}

/** Names on one line; users who share a name are told apart by their ids. */
export function nameList(users: readonly User[]): string {
  const names = users.map(userName);
  return users
    .map((user, i) => {
      const name = names[i]!;
      return names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${plainName(user.id)})`;
    })
    .join(', ');
}

function pickExact(users: readonly User[], nameOrId: string): User | undefined {
  const byName = distinct(users.filter(({ name }) => name === nameOrId));
  if (byName.length > 1) throw new AmbiguousNameError(byName);
  return byName[0] ?? users.find(({ id }) => id === nameOrId);
}

/** Only if it can be nobody else. */
function pickInAnyCase(users: readonly User[], wanted: string): User | undefined {
  const found = distinct(users.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()));
  return found.length === 1 ? found[0] : undefined;
}

function distinct(users: readonly User[]): User[] {
  return [...new Map(users.map((user) => [user.id, user])).values()];
}

/** Members of the caller's chats, of the latest ones first and not of very many. */
async function listAcquaintances(client: ChatClient): Promise<User[]> {
  const { chats } = await client.call('listChats', { pageSize: 20 });
  const membersOf = async ({ id, type, peer }: Chat): Promise<User[]> => {
    if (type === ChatType.DIRECT) return peer ? [peer] : [];
    const { members } = await client.call('listMembers', { chatId: id });
    return members.flatMap(({ user }) => user ?? []);
  };
  return (await Promise.all(chats.map(membersOf))).flat();
}
