import { type Chat, type ChatClient, ChatRole, findMentions, type Mention } from '../../../pkg/chat-client/index.ts';
import { readPages } from './pages.ts';

/** Returns whom a typed text mentions of the chat's members. Asks for them only if the text has an `@`. Throws ChatClientError. */
export async function mentionsIn(client: ChatClient, chat: Chat, text: string): Promise<Mention[]> {
  if (!text.includes('@')) return [];
  const { items } = await readPages(async (pageToken) => {
    const { members, nextPageToken } = await client.call('listMembers', { chatId: chat.id, pageToken });
    return { items: members, nextPageToken };
  });
  const everyone = chat.ownRole === ChatRole.ADMIN || chat.ownRole === ChatRole.OWNER;
  return findMentions(
    text,
    items.map(({ user }) => user),
    { everyone },
  );
}
