import { randomInt } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { nameDatabase } from '../../internal/app/database/name-database.ts';
import { withAccounts } from '../../internal/app/database/with-accounts.ts';
import { openPasswords } from '../../internal/app/parts/open-passwords.ts';
import { runCommand, UsageError } from '../../internal/app/process/run-command.ts';
import { readConfig } from '../../internal/config/config.ts';
import { readEnvironment } from '../../internal/config/reading/environment.ts';
import { userIdOf, userName } from '../../internal/model/account.ts';
import type { TokenRole } from '../../internal/model/principal.ts';
import type { AccountRepository } from '../../internal/repository/account-repository.ts';

const usage = `usage: account NAME [--roles ROLE,…] [--reset-password] [--password-stdin]
       account --list

Creates an account, or changes an existing one. The program generates the password and prints it once. To choose it, pass it on standard input; it is not
an argument, because others could see it in the list of processes.

  --roles ROLE,…    user (the default for a new account), admin (which includes user), or service, for a backend: its user id
                    and login name are service:NAME
  --reset-password  gives an existing account a new password and ends its sessions
  --password-stdin  reads the password from the first line of standard input
  --list            lists all accounts
`;

interface Request {
  name: string;
  roles: TokenRole[] | undefined;
  resetPassword: boolean;
  givenPassword: string | undefined;
}

/** Creates and changes accounts in the configured database. Returns the exit code. */
export function runAccount(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  stdin: NodeJS.ReadableStream,
): Promise<number> {
  return runCommand(usage, async () => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        roles: { type: 'string' },
        'reset-password': { type: 'boolean', default: false },
        'password-stdin': { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return console.log(usage);
    const [name, ...others] = positionals;
    if (values.list !== (name === undefined) || others.length > 0) throw new UsageError('give NAME, or --list');
    const config = readConfig(readEnvironment(env));
    if (config.auth.external)
      throw new Error('accounts belong to an external issuer (AUTH_JWKS_URL): create them there');
    const request = name !== undefined && {
      name: checkName(name),
      roles: values.roles === undefined ? undefined : checkRoles(values.roles),
      resetPassword: values['reset-password'],
      givenPassword: values['password-stdin'] ? await readPassword(stdin, name) : undefined,
    };
    await withAccounts(config, ({ accounts }) => (request ? change(accounts, request) : list(accounts)));
    if (request) console.log(`in ${nameDatabase(config.database)}`);
  });
}

async function list(accounts: AccountRepository): Promise<void> {
  for (const { userId, name, roles, createdAt } of await accounts.list()) {
    console.log(`${userId}  ${roles.join(',')}  ${createdAt.toISOString()}  ${name}`);
  }
}

async function change(accounts: AccountRepository, request: Request): Promise<void> {
  const { name, roles, resetPassword, givenPassword } = request;
  const userId = name.startsWith('service:') ? name : userIdOf(name, roles);
  const known = await accounts.find(userId);
  const needsPassword = !known || resetPassword || givenPassword !== undefined;
  const password = givenPassword ?? makePassword();
  const passwordHash = needsPassword ? await openPasswords().hasher.hash(password) : '';
  if (!known) {
    await accounts.create({ userId, name: name.replace(/^service:/, ''), roles: roles ?? ['user'], passwordHash }, '');
    console.log(`created the account ${userId} with the roles ${(roles ?? ['user']).join(', ')}`);
  } else {
    if (roles) {
      const changed = await accounts.setRoles(userId, roles);
      const ended = changed?.sessionsEnded ? `; ended ${changed.sessionsEnded} sessions with other roles` : '';
      console.log(`the account ${userId} has the roles ${roles.join(', ')}${ended}`);
    }
    if (needsPassword) {
      await accounts.setPassword(userId, passwordHash, { actorId: '' });
      console.log(`the account ${userId} has a new password; its sessions have ended`);
    }
    if (!roles && !needsPassword) console.log(`the account ${userId} has the roles ${known.roles.join(', ')}`);
  }
  if (needsPassword && givenPassword === undefined) console.log(`its password, shown only now: ${password}`);
}

function checkName(name: string): string {
  const bare = name.toLowerCase().replace(/^service:/, '');
  if (userName.test(bare)) return name.toLowerCase();
  throw new UsageError('NAME must be 2 to 32 letters, digits, "_", "-" and ".", starting with a letter or digit');
}

function checkRoles(list: string): TokenRole[] {
  const given = list.split(',').map((role) => role.trim());
  const known: readonly string[] = ['user', 'admin', 'service'] satisfies TokenRole[];
  const bad = given.filter((role) => !known.includes(role));
  if (bad.length > 0) throw new UsageError(`there is no role "${bad[0]}": roles are user, admin and service`);
  if (given.includes('service')) {
    if (given.length === 1) return ['service'];
    throw new UsageError('the role service cannot be combined with other roles');
  }
  return given.includes('admin') ? ['user', 'admin'] : ['user'];
}

async function readPassword(stdin: NodeJS.ReadableStream, name: string): Promise<string> {
  const [password = ''] = (await text(stdin as NodeJS.ReadableStream & AsyncIterable<Buffer>)).split(/\r?\n/, 1);
  if (password.length < 8 || password.length > 128) throw new Error('the password must have 8 to 128 characters');
  const fault = await openPasswords().policy.findFault(password, [name]);
  if (fault) throw new Error(`the password ${fault}`);
  return password;
}

/** 120 bits, without characters that look alike. */
function makePassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  const groups = Array.from({ length: 6 }, () =>
    Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join(''),
  );
  return groups.join('-');
}
