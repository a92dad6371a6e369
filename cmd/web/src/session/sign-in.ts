import { newId, type Transport } from '../../../../pkg/chat-client/index.ts';
import type { StoredSession } from './stored-session.ts';
import type { StoredTokens } from './stored-tokens.ts';

/** The data of the sign-in form. */
export type Credentials =
  | { kind: 'guest'; name: string }
  | { kind: 'login'; username: string; password: string }
  | { kind: 'register'; username: string; password: string; name: string };

export interface SignedIn {
  session: StoredSession;
  tokens: StoredTokens;
}

/** Throws ChatClientError. */
export async function signIn({ auth }: Transport, credentials: Credentials): Promise<SignedIn> {
  switch (credentials.kind) {
    case 'guest': {
      const { name } = credentials;
      return toSignedIn('guest', await auth.guest({ name }, {}));
    }
    case 'login': {
      const { username, password } = credentials;
      return toSignedIn('account', await auth.login({ username, password }, {}));
    }
    case 'register': {
      const { username, password, name } = credentials;
      return toSignedIn('account', await auth.register({ username, password, name }, {}));
    }
    default:
      return credentials satisfies never;
  }
}

interface Answer {
  userId: string;
  name: string;
  accessToken: string;
  expiresAt: Date | undefined;
  refreshToken?: string;
}

function toSignedIn(kind: StoredSession['kind'], answer: Answer): SignedIn {
  const { userId, name, accessToken: token, expiresAt, refreshToken } = answer;
  const access = { token, expiresAt: expiresAt?.getTime() ?? 0 };
  return { session: { kind, userId, name }, tokens: { userId, access, refreshToken, retryKey: newId() } };
}
