import type { Logger } from 'pino';
import { HttpRevocationSource } from '../../client/auth/http-revocation-source.ts';
import type { Config } from '../../config/config.ts';
import type { BanRepository } from '../../repository/ban-repository.ts';
import type { RevocationSource } from '../../repository/revocation-source.ts';
import { Revocations } from '../../service/accounts/revocations.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

/** The longest that an issuer of this project can be configured to let access tokens live, in milliseconds. */
const longestTokenTtlMs = 86_400_000;
/** Clocks differ. */
const slackMs = 120_000;

interface Deps {
  /** The embedded issuer's; with an outside one its AUTH_REVOCATIONS_URL is asked, if there is one. */
  sessions: RevocationSource | undefined;
  bans: BanRepository | undefined;
  log: Logger;
  resources: ResourceStack;
}

/** Learns which tokens do not count any more. Throws an error with a clear message when that cannot be had: better no start than a blind one. */
export async function openRevocations(
  { auth }: Config,
  { sessions, bans, log, resources }: Deps,
): Promise<Revocations> {
  const { outside, tokenTtlMs } = auth;
  const elsewhere = outside?.revocationsUrl && new HttpRevocationSource(outside.revocationsUrl);
  const revocations = new Revocations(
    { sessions: outside ? elsewhere || undefined : sessions, bans, log },
    {
      pollMs: 250,
      maxBackoffMs: 500,
      readTimeoutMs: 5_000,
      rememberMs: (outside ? longestTokenTtlMs : tokenTtlMs) + slackMs,
      startTimeoutMs: 5_000,
    },
  );
  resources.add('the revocations', () => revocations.close());
  await revocations.start();
  return revocations;
}
