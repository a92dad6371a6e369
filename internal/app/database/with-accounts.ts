import { generateSigningKey } from '../../client/auth/jose-signing-keys.ts';
import type { Config } from '../../config/config.ts';
import type { AccountRepository } from '../../repository/account-repository.ts';
import { PostgresAccountRepository } from '../../repository/postgres/accounts/postgres-account-repository.ts';
import { PostgresSigningKeyRepository } from '../../repository/postgres/accounts/postgres-signing-key-repository.ts';
import { createDatabase } from '../../repository/postgres/connection/database.ts';
import { migrate } from '../../repository/postgres/migrations/migrate.ts';
import type { PrivateJwk, SigningKeyRepository } from '../../repository/signing-key-repository.ts';
import { authSchema, migrationsFolder } from './open-database.ts';
import { useDatabase } from './use-database.ts';

/** The repositories of accounts and of the keys that sign their tokens. */
export interface AccountParts {
  accounts: AccountRepository;
  signingKeys: SigningKeyRepository;
  generateSigningKey(): Promise<PrivateJwk>;
}

/** Runs work on the accounts' tables. Before that it brings them up to date, as the service does at its start. */
export function withAccounts<T>(config: Config, work: (parts: AccountParts) => Promise<T>): Promise<T> {
  return useDatabase(config.database, async (dsn) => {
    if (config.database.migrateOnStart) await migrate(dsn, migrationsFolder, { only: authSchema.migrations });
    const database = createDatabase({
      dsn,
      poolSize: 2,
      statementTimeoutMs: config.times.callTimeoutMs,
      onError: () => {},
    });
    try {
      return await work({
        accounts: new PostgresAccountRepository(database),
        signingKeys: new PostgresSigningKeyRepository(database),
        generateSigningKey,
      });
    } finally {
      await database.close();
    }
  });
}
