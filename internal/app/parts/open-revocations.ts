import type { Logger } from 'pino';
import { HttpRevocationSource } from '../../client/auth/http-revocation-source.ts';
import type { Config } from '../../config/config.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';
import { Revocations } from '../../service/accounts/revocations.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/** The largest AUTH_TOKEN_TTL_SECONDS, in milliseconds: what an auth-server of this project may have. */
const longestTokenTtlMs = 86_400_000;
/** The clocks of two machines may differ by this, in milliseconds. */
const slackMs = 120_000;

/** In milliseconds. A revocation must end delivery on every node within a second, so the polls are frequent. */
export const revocationTimes = {
  pollMs: 250,
  maxBackoffMs: 500,
  readTimeoutMs: 5_000,
  fullReadMs: 60_000,
  startTimeoutMs: 5_000,
};

interface Deps {
  /** The ended sessions of the embedded issuer. With another issuer, AUTH_REVOCATIONS_URL is asked in its place, if it is set. */
  sessions: RevocationSource | undefined;
  bans: BanRepository | undefined;
  log: Logger;
  resources: ResourceStack;
}

/**
 * Follows which sessions have ended and which users are banned. Throws an error with a clear message if that cannot be read within a few seconds: a
 * service without it would accept revoked tokens.
 */
export async function openRevocations(
  { auth }: Config,
  { sessions, bans, log, resources }: Deps,
): Promise<Revocations> {
  const { external, tokenTtlMs } = auth;
  const elsewhere = external?.revocationsUrl && new HttpRevocationSource(external.revocationsUrl);
  const revocations = new Revocations(
    { sessions: external ? elsewhere || undefined : sessions, bans, log },
    {
      ...revocationTimes,
      rememberMs: (external ? longestTokenTtlMs : tokenTtlMs) + slackMs,
    },
  );
  resources.add('the revocations', () => revocations.close());
  await revocations.start();
  return revocations;
}
