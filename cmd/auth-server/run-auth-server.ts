import { announceAdmin } from '../../internal/app/process/announce-admin.ts';
import { runProcess } from '../../internal/app/process/run-process.ts';
import { toAddress } from '../../internal/app/process/to-address.ts';
import { type AuthServer, startAuthServer } from '../../internal/app/start-auth-server.ts';
import { type Config, readConfig } from '../../internal/config/config.ts';
import { authServerDefaults } from '../../internal/config/program-defaults.ts';
import { ConfigError } from '../../internal/config/reading/env-reader.ts';
import type { Env } from '../../internal/config/reading/environment.ts';

/** Runs the accounts and the token issuer without chats, until a signal stops them. Returns the exit code. */
export function runAuthServer(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runProcess(
    { name: 'auth-server', does: 'runs the accounts and the token issuer without chats', args },
    env,
    readAuthConfig,
    async ({ live }, log, signal) => {
      const server = await startAuthServer(live, log, signal);
      return { failed: server.failed, announcement: announce(live.current, server), stop: () => server.stop() };
    },
  );
}

function readAuthConfig(env: Env): Config {
  const config = readConfig({ ...authServerDefaults, ...env });
  if (config.auth.external)
    throw new ConfigError(['AUTH_JWKS_URL cannot be set for the auth-server, which has its own keys']);
  return config;
}

function announce(
  { listen: { host }, admin, http, database, tls, auth }: Config,
  { grpcPort, httpPort, adminPort }: AuthServer,
): string[] {
  const lines = [
    `  auth-server is ready${tls ? ' (TLS)' : ''}`,
    `    gRPC      ${toAddress(host, grpcPort)}  (reflection and health are on)`,
  ];
  if (httpPort !== undefined) {
    const url = `${tls ? 'https' : 'http'}://${toAddress(host, httpPort)}`;
    lines.push(`    HTTP      ${url}  (REST; documentation at /docs)`);
    lines.push('', '  Chat services use it with:', `    AUTH_JWKS_URL=${http.publicUrl}/.well-known/jwks.json`);
    lines.push(`    AUTH_REVOCATIONS_URL=${http.publicUrl}/v1/auth/revocations`);
    lines.push(`    AUTH_ISSUER=${auth.issuer}`, `    AUTH_AUDIENCE=${auth.audience}`);
  }
  lines.splice(
    2,
    0,
    ...announceAdmin(admin, adminPort),
    `    accounts  ${database.dsn ? 'PostgreSQL at POSTGRES_DSN' : `bundled PostgreSQL in ${database.dataDir}`}`,
  );
  return lines;
}
