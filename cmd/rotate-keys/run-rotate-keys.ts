import { parseArgs } from 'node:util';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { withAccounts } from '../../internal/app/database/with-accounts.ts';
import { runCommand } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';

const usage = `usage: rotate-keys [--now]

Creates a new key for signing access tokens. The key is published at once, and signs one minute later, when all services know it. Tokens that the old
key signed stay valid until they expire. Running services need no restart.

  --now   the key signs at once. Use it if the old key was stolen. Some services may refuse new tokens for some seconds.
`;

/** The time from publishing a key to signing with it, in milliseconds. */
const leadMs = 60_000;
/** How long the old key stays after its last token has expired, in milliseconds: services read the keys every few seconds, and clocks differ. */
const slackMs = 300_000;

/** Rotates the signing keys in the configured database. Returns the exit code. */
export function runRotateKeys(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: { now: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const config = readConfig(readEnvironment(env));
    if (config.auth.external)
      throw new Error('the keys belong to an external issuer (AUTH_JWKS_URL): rotate them there');
    const { key, signsFrom, removed } = await withAccounts(config, async ({ signingKeys, generateSigningKey }) => {
      const generated = await generateSigningKey();
      const times = { leadMs: values.now ? 0 : leadMs, keepMs: config.auth.tokenTtlMs + slackMs };
      return { key: generated, ...(await signingKeys.rotate(generated, times)) };
    });
    console.log(`the new key ${key.kid} signs from ${signsFrom.toISOString()}`);
    if (removed > 0) console.log(`removed ${removed} keys whose tokens have all expired`);
    console.log(`in ${nameDatabase(config.database)}`);
  });
}
