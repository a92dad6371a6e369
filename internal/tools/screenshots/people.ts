import { ChatClient, refreshToken, type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';

/** Somebody with an account, connected. */
export interface Person {
  userId: string;
  client: ChatClient;
  username: string;
  password: string;
}

/** Makes an account and connects. */
export async function newPerson(url: string, username: string, name: string): Promise<Person> {
  const transport: Transport = webSocketTransport(url);
  const password = crypto.randomUUID();
  const answer = await transport.auth.register({ username, password, name }, {});
  const client = new ChatClient({ transport, token: refreshToken(answer.refreshToken, () => {}) });
  await client.connect();
  return { userId: answer.userId, client, username, password };
}
