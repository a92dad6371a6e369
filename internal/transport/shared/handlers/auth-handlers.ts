import type { AuthServiceImplementation } from '../../../../pkg/api/auth/v1/auth.ts';
import { fromPageToken, isNumber, toPageToken } from '../../../converter/page-token.ts';
import { type Call, principalOf } from '../../../interceptor/call.ts';
import type { Device } from '../../../model/account.ts';
import type { AuthService, SignedIn } from '../../../service/accounts/auth-service.ts';
import type { CallExt } from '../../grpc/middleware.ts';
import { pageLimit } from './page-limit.ts';

/** auth.v1.AuthService over the service layer. Requests have been validated. */
export function createAuthHandlers(
  auth: AuthService,
  { maxPageSize }: { maxPageSize: number },
): AuthServiceImplementation<CallExt> {
  const toLimit = pageLimit(maxPageSize);
  return {
    async register(request, { call }) {
      return toWire(await auth.register(request, deviceOf(call)));
    },

    async login(request, { call }) {
      return toWire(await auth.login(request, deviceOf(call)));
    },

    async guest(request) {
      const { token, expiresAt, userId, name } = await auth.guest(request.name);
      return { accessToken: token, expiresAt, userId, name };
    },

    async refresh({ refreshToken, retryKey }, { call }) {
      return toWire(await auth.refresh(refreshToken, deviceOf(call), retryKey));
    },

    async logout(_request, { call }) {
      await auth.logout(principalOf(call));
      return {};
    },

    async getMe(_request, { call }) {
      const { userId, name, roles, sessionId = '', tokenExpiresAt } = principalOf(call);
      return { userId, name, roles, sessionId, tokenExpiresAt };
    },

    async changePassword(request, { call }) {
      await auth.changePassword(principalOf(call), request);
      return {};
    },

    async listSessions(_request, { call }) {
      const caller = principalOf(call);
      const sessions = await auth.listSessions(caller);
      return { sessions: sessions.map((session) => ({ ...session, current: session.id === caller.sessionId })) };
    },

    async revokeSession({ sessionId }, { call }) {
      await auth.revokeSession(principalOf(call), sessionId);
      return {};
    },

    async listRevocations({ cursor }) {
      return auth.listRevocations(cursor || undefined);
    },

    async listAuthEvents({ userId, pageSize, pageToken }) {
      const before = fromPageToken(pageToken, isNumber);
      const page = await auth.listEvents(userId || undefined, toLimit(pageSize), before);
      return { events: page.items, nextPageToken: toPageToken(page.next) };
    },

    async getKeySet() {
      return { keys: await auth.keySet() };
    },

    async getOpenIdConfiguration() {
      const { issuer, url } = auth.openIdConfiguration();
      return {
        issuer,
        jwksUri: `${url}/.well-known/jwks.json`,
        // There is no page to be sent to: whoever signs in calls Login.
        authorizationEndpoint: `${url}/v1/auth/login`,
        tokenEndpoint: `${url}/v1/auth/login`,
        responseTypesSupported: ['token'],
        subjectTypesSupported: ['public'],
        idTokenSigningAlgValuesSupported: ['EdDSA'],
        claimsSupported: ['iss', 'aud', 'sub', 'name', 'roles', 'sid', 'iat', 'exp', 'jti'],
        revocationsUri: `${url}/v1/auth/revocations`,
      };
    },
  };
}

function toWire({ token, expiresAt, ...others }: SignedIn) {
  return { accessToken: token, expiresAt, ...others };
}

function deviceOf(call: Call): Device {
  const userAgent = call.header('grpcgateway-user-agent') ?? call.header('user-agent') ?? '';
  return { userAgent: userAgent.slice(0, 256), address: call.peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') };
}
