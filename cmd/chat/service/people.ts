import { type Chat, type ChatClient, ChatType, type User } from '../../../pkg/chat-client/index.ts';
import { userName } from '../text/format.ts';
import { plainName } from '../text/plain-text.ts';
import { type Found, readPages } from './pages.ts';

/** More than one user has the name. */
export class AmbiguousNameError extends Error {
  constructor(users: readonly User[]) {
    super(`there are several; give one of these instead: ${users.map(({ id }) => id).join(', ')}`);
  }
}

const guestName = /^[\p{L}\p{N}][\p{L}\p{N}_.-]*$/u;

/** The users with an open connection: all of them, or the members of one chat. */
export function listOnline(client: ChatClient, chatId?: string): Promise<Found<User>> {
  return readPages(async (pageToken) => {
    const { users, nextPageToken } = await client.call('listOnlineUsers', { chatId, pageToken });
    return { items: users, nextPageToken };
  });
}

/**
 * Finds a user by name or id, first among the users online, then among the members of the caller's chats. Otherwise the text itself counts as
 * an id or, if it cannot be one, as a guest's name. Throws AmbiguousNameError, and what the calls throw.
 */
export async function findUserId(client: ChatClient, nameOrId: string): Promise<string> {
  const { items: online } = await listOnline(client);
  const exactlyOnline = pickExact(online, nameOrId);
  if (exactlyOnline) return exactlyOnline.id;
  const everyone = [...online, ...(await listAcquaintances(client))];
  const found = pickExact(everyone, nameOrId) ?? pickInAnyCase(everyone, nameOrId);
  return found?.id ?? (guestName.test(nameOrId) ? `guest:${nameOrId}` : nameOrId);
}

/** The users' names on one line; users with the same name have their ids added. */
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

/** The user with this name, ignoring case, if there is only one. */
function pickInAnyCase(users: readonly User[], wanted: string): User | undefined {
  const found = distinct(users.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase()));
  return found.length === 1 ? found[0] : undefined;
}

function distinct(users: readonly User[]): User[] {
  return [...new Map(users.map((user) => [user.id, user])).values()];
}

/** Members of the caller's chats: of the few that changed last. */
async function listAcquaintances(client: ChatClient): Promise<User[]> {
  const { chats } = await client.call('listChats', { pageSize: 20 });
  const membersOf = async ({ id, type, peer }: Chat): Promise<User[]> => {
    if (type === ChatType.DIRECT) return peer ? [peer] : [];
    const { members } = await client.call('listMembers', { chatId: id });
    return members.flatMap(({ user }) => user ?? []);
  };
  return (await Promise.all(chats.map(membersOf))).flat();
}
