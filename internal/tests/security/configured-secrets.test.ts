import { expect, onTestFinished, test } from 'vitest';
import { grpcTransport } from '../../../pkg/chat-client/transports/grpc-transport.ts';
import { ProcessListing } from '../../testing/collectors/process-listing.ts';
import { ChildService } from '../../testing/services/child-service.ts';
import { Secrets } from '../../testing/services/secrets.ts';
import { createTestDatabase } from '../../testing/services/test-database.ts';

test('an invalid configuration is refused without its passwords', async () => {
  const secrets = new Secrets();
  const key = secrets.make('a private key');
  const service = ChildService.spawn({
    LOG_LEVEL: 'trace',
    POSTGRES_DSN: `postgress://chat:${secrets.make("the database's password")}@localhost/chat`,
    TRACING_URL: `ftp://collector:${secrets.make("the collector's password")}@localhost`,
    AUTH_JWKS_URL: `issuer:${secrets.make("the issuer's password")}@localhost`,
    AUTH_REVOCATIONS_URL: `http://auth-server:${secrets.make("the auth-server's password")}@localhost`,
    HTTP_PORT: `http://proxy:${secrets.make('a password instead of a port')}@localhost`,
    TRUSTED_PROXIES: `http://proxy:${secrets.make("a proxy's password")}@localhost`,
    TLS_KEY: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----`,
  });
  expect(await service.exited).toMatchObject({ code: 2 });
  expect(service.stderr).toMatch(/(POSTGRES_DSN.*HTTP_PORT)|(HTTP_PORT.*POSTGRES_DSN)/s);
  expect(secrets.in(service.stdout + service.stderr)).toEqual([]);
});

const wrongAccess: Record<string, (dsn: URL, password: string) => string> = {
  'is wrong': (dsn, password) => Object.assign(dsn, { password }).href,
  'is a parameter': (dsn, password) => {
    dsn.password = '';
    dsn.searchParams.set('password', password);
    return dsn.href;
  },
  'is not escaped': ({ host }, password) => `postgres://chat:12#${password}@${host}/chat`,
  'is not escaped and looks like a path': ({ host }, password) => `postgres://chat:12/${password}@${host}/chat`,
  'is wrong and escaped badly': ({ host }, password) => `postgres://chat:%zz${password}@${host}/chat`,
};
test.each(Object.entries(wrongAccess))("the database's password is in no error when it %s", async (_, change) => {
  const secrets = new Secrets();
  const dsn = change(new URL(await createTestDatabase()), secrets.make("the database's password"));
  const service = ChildService.spawn({ LOG_LEVEL: 'trace', POSTGRES_DSN: dsn });
  const processes = new ProcessListing(service.pid);
  expect((await service.exited).code).toBeGreaterThan(0);
  expect(service.stderr).toMatch(/^error: .*(database|POSTGRES_DSN)/);
  expect(secrets.in([service.stdout, service.stderr, ...processes.commandLines].join('\n'))).toEqual([]);
});

test.each(['AUTH_JWKS_URL', 'AUTH_REVOCATIONS_URL'])(
  'a secret in %s is in no error when the address is unreachable',
  async (name) => {
    const secrets = new Secrets();
    const service = ChildService.spawn({
      LOG_LEVEL: 'trace',
      POSTGRES_DSN: await createTestDatabase(),
      AUTH_ISSUER: 'https://issuer.example',
      AUTH_AUDIENCE: 'chat',
      AUTH_JWKS_URL: 'http://127.0.0.1:9/jwks',
      [name]: `http://127.0.0.1:9/?token=${secrets.make('a token of a URL')}`,
    });
    if (name === 'AUTH_JWKS_URL') {
      await service.ready();
      const grpc = grpcTransport(service.address);
      onTestFinished(() => grpc.close());
      const part = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');
      const claims = { sub: 'alice', jti: secrets.make('an id') };
      const token = `${part({ alg: 'ES256', kid: 'k' })}.${secrets.add('the claims', part(claims))}.AAAA`;
      await expect(grpc.auth.getMe({}, { token })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      service.signal('SIGTERM');
    }
    await service.exited;
    expect(secrets.in(service.stdout + service.stderr)).toEqual([]);
  },
);
