import { parseArgs } from 'node:util';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { withAccounts } from '../../internal/app/database/with-accounts.ts';
import { runCommand } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';

const usage = `usage: rotate-keys [--now]

Makes a new key for signing access tokens. It is published at once and signs a minute later, when everybody who verifies tokens knows it. Tokens
signed with the old key stay good until they expire. Services that are running notice by themselves.

  --now   lets it sign at once: after the old key has become known to others (tokens of the new one may be refused for some seconds)
`;

const leadMs = 60_000;
/** Services read the keys every few seconds, and clocks differ. */
const slackMs = 300_000;

/** Rotates the signing keys of the configured database. Returns the exit code. */
export function runRotateKeys(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runCommand(usage, async () => {
    const { values } = parseArgs({
      args: [...args],
      options: { now: { type: 'boolean', default: false }, help: { type: 'boolean' } },
    });
    if (values.help) return console.log(usage);
    const config = readConfig(env);
    if (config.auth.outside)
      throw new Error('the keys are those of an outside issuer (AUTH_JWKS_URL): rotate them there');
    const { key, signsFrom, removed } = await withAccounts(config, async ({ signingKeys, generateSigningKey }) => {
      const generated = await generateSigningKey();
      const times = { leadMs: values.now ? 0 : leadMs, keepMs: config.auth.tokenTtlMs + slackMs };
      return { key: generated, ...(await signingKeys.rotate(generated, times)) };
    });
    console.log(`the new key ${key.kid} signs from ${signsFrom.toISOString()}`);
    if (removed > 0) console.log(`removed ${removed} whose tokens have all expired`);
    console.log(`in ${nameDatabase(config.database)}`);
  });
}
