import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { PostgresAccountRepository } from '../../repository/postgres/accounts/postgres-account-repository.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';
import { startTestService, type TestService } from './test-service.ts';
import { issueToken } from './tokens.ts';

/** A service with its console, and the console's API as an administrator calls it. */
export interface ConsoleService {
  service: TestService;
  /** `http://host:port` of the admin port. */
  url: string;
  adminId: string;
  token: string;
  get<Answer>(path: string): Promise<Answer>;
  post<Answer>(path: string, body?: object): Promise<Answer>;
}

/** Starts a service with the console. It is stopped by its own `stop`. */
export async function startConsole(env: Record<string, string> = {}, dsn?: string): Promise<ConsoleService> {
  const service = await startTestService({ ADMIN: 'true', ADMIN_PORT: '0', ...env }, dsn === undefined ? {} : { dsn });
  const url = `http://127.0.0.1:${service.app.adminPort}`;
  const adminId = `operator-${randomUUID()}`;
  const { token } = await issueToken(service.dsn, { userId: adminId, roles: ['user', 'admin'] });
  const ask = async (method: string, path: string, body?: object) => {
    const response = await askConsole(url, method, path, token, body);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${response.status}: ${(answer as { error: string }).error}`);
    return answer;
  };
  return {
    service,
    url,
    adminId,
    token,
    get: (path) => ask('GET', path) as Promise<never>,
    post: (path, body = {}) => ask('POST', path, body) as Promise<never>,
  };
}

/** Sends one request to the console's API. */
export function askConsole(
  url: string,
  method: string,
  path: string,
  token: string | undefined,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/admin/api/${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
}

/** Creates an account with the role `admin`. */
export async function newAdministrator({
  dsn,
  transport,
}: Pick<TestService, 'dsn' | 'transport'>): Promise<{ username: string; password: string }> {
  const account = { username: `operator-${randomUUID().slice(0, 8)}`, password: randomUUID() };
  const { userId } = await transport().auth.register({ ...account, name: 'The operator' }, {});
  const database = createDatabase({ dsn, poolSize: 1, statementTimeoutMs: 5_000, onError: () => {} });
  onTestFinished(() => database.close());
  await new PostgresAccountRepository(database).setRoles(userId, ['user', 'admin']);
  return account;
}
