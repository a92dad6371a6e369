import type { OsUser } from '../system/os-user.ts';

/** The file of the superuser's password. It is inside the data folder, so that both are created in one step. */
export const PASSWORD_FILE = 'superuser.password';
export const SUPERUSER = 'postgres';

/** Where the server runs, and as which user. It does not change while the service runs. */
export interface Site {
  /** Folder with bin/postgres. */
  readonly programs: string;
  /** Undefined: the user of this process. */
  readonly user: OsUser | undefined;
  /** PostgreSQL's data folder, by its full path. */
  readonly dir: string;
  /** True if the server's user cannot enter the folders above `dir`. */
  readonly hidden: boolean;
}

/** A site whose data folder exists and is complete. */
export interface Cluster extends Site {
  readonly password: string;
}

/** The working directory of PostgreSQL's programs, and the path of the data folder as seen from there. */
export function programPaths(site: Site): { cwd: string; dataFolder: string } {
  // Root enters the folder before the process becomes the server's user. This link leads there without entering its parents.
  return { cwd: site.dir, dataFolder: site.hidden ? '/proc/self/cwd' : site.dir };
}
