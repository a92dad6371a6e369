import type { AuthServiceImplementation } from '../../../../pkg/api/auth/v1/auth.ts';
import { fromPageToken, isNumber, toPageToken } from '../../../converter/page-token.ts';
import type { AuthService, SignedIn } from '../../../service/accounts/auth-service.ts';
import type { OperationTable } from './operation.ts';

/** The operations of auth.v1.AuthService. */
export const accountOperations = {
  register: {
    run: async (auth, request, { device }) => toWire(await auth.register(request, device)),
  },

  login: {
    run: async (auth, request, { device }) => toWire(await auth.login(request, device)),
  },

  guest: {
    run: async (auth, request) => {
      const { token, expiresAt, userId, name } = await auth.guest(request.name);
      return { accessToken: token, expiresAt, userId, name };
    },
  },

  refresh: {
    run: async (auth, { refreshToken, retryKey }, { device }) =>
      toWire(await auth.refresh(refreshToken, device, retryKey)),
  },

  logout: {
    run: async (auth, _request, { caller }) => {
      await auth.logout(caller);
      return {};
    },
  },

  getMe: {
    run: async (_auth, _request, { caller }) => {
      const { userId, name, roles, sessionId = '', tokenExpiresAt } = caller;
      return { userId, name, roles, sessionId, tokenExpiresAt };
    },
  },

  changePassword: {
    run: async (auth, request, { caller }) => {
      await auth.changePassword(caller, request);
      return {};
    },
  },

  listSessions: {
    run: async (auth, _request, { caller }) => {
      const sessions = await auth.listSessions(caller);
      return { sessions: sessions.map((session) => ({ ...session, current: session.id === caller.sessionId })) };
    },
  },

  revokeSession: {
    run: async (auth, { sessionId }, { caller }) => {
      await auth.revokeSession(caller, sessionId);
      return {};
    },
  },

  listRevocations: {
    run: async (auth, { cursor }) => auth.listRevocations(cursor || undefined),
  },

  listAuthEvents: {
    run: async (auth, { userId, pageSize, pageToken }, { limit }) => {
      const before = fromPageToken(pageToken, isNumber);
      const page = await auth.listEvents(userId || undefined, limit(pageSize), before);
      return { events: page.items, nextPageToken: toPageToken(page.next) };
    },
  },

  getKeySet: {
    run: async (auth) => ({ keys: await auth.keySet() }),
  },

  getOpenIdConfiguration: {
    run: async (auth) => {
      const { issuer, url } = auth.openIdConfiguration();
      return {
        issuer,
        jwksUri: `${url}/.well-known/jwks.json`,
        // OpenID requires the field. There is no page for signing in: clients call Login.
        authorizationEndpoint: `${url}/v1/auth/login`,
        tokenEndpoint: `${url}/v1/auth/login`,
        responseTypesSupported: ['token'],
        subjectTypesSupported: ['public'],
        idTokenSigningAlgValuesSupported: ['EdDSA'],
        claimsSupported: ['iss', 'aud', 'sub', 'name', 'roles', 'sid', 'iat', 'exp', 'jti'],
        revocationsUri: `${url}/v1/auth/revocations`,
      };
    },
  },
} satisfies OperationTable<AuthServiceImplementation, AuthService>;

function toWire({ token, expiresAt, ...others }: SignedIn) {
  return { accessToken: token, expiresAt, ...others };
}
