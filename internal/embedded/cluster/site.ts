import type { OsUser } from '../system/os-user.ts';

/** The superuser's password lies inside the data folder, so that folder and password come into being as one. */
export const PASSWORD_FILE = 'superuser.password';
export const SUPERUSER = 'postgres';

/** Where and as whom the server runs; fixed for the life of the service. */
export interface Site {
  /** Folder with bin/postgres. */
  readonly programs: string;
  /** Undefined: as ourselves. */
  readonly user: OsUser | undefined;
  /** PostgreSQL's data folder, as we reach it. */
  readonly dir: string;
  /** True when the server's user cannot pass the folders above `dir`. */
  readonly hidden: boolean;
}

/** A site whose data folder is complete. */
export interface Cluster extends Site {
  readonly password: string;
}

/** What PostgreSQL's programs must be told: the folder to start in, and the data folder's name as seen from there. */
export function programPaths(site: Site): { cwd: string; dataFolder: string } {
  // We enter the folder as root before becoming the server's user; this link then leads there without passing its parents.
  return { cwd: site.dir, dataFolder: site.hidden ? '/proc/self/cwd' : site.dir };
}
