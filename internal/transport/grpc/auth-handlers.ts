import type { AuthServiceImplementation } from '../../../pkg/api/auth/v1/auth.ts';
import type { AuthService } from '../../service/auth-service.ts';
import type { CallExt } from './middleware.ts';

/** auth.v1.AuthService over the service layer. */
export function createAuthHandlers(auth: AuthService): AuthServiceImplementation<CallExt> {
  return {
    async guest(request) {
      const { token, expiresAt, userId, name } = await auth.guest(request.name);
      return { accessToken: token, expiresAt, userId, name };
    },
  };
}
