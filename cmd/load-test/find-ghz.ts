import { spawnSync } from 'node:child_process';

/** How to run ghz: a program, and its arguments before those of ghz. */
export interface Ghz {
  command: string;
  args: string[];
  /** Where ghz came from, for people. */
  from: string;
}

const version = 'v0.121.0';
const goPackage = `github.com/bojand/ghz/cmd/ghz@${version}`;

/**
 * Finds ghz: in the PATH, else by building it with Go, else by Docker. `folder` has the files that ghz will read. Throws an error that says how
 * to get one of them.
 */
export function findGhz(folder: string, env: NodeJS.ProcessEnv = process.env): Ghz {
  if (works('ghz', ['--version'], env)) return { command: 'ghz', args: [], from: 'the PATH' };
  if (works('go', ['version'], env)) return { command: 'go', args: ['run', goPackage], from: `Go (${goPackage})` };
  // Docker may be installed but not running.
  if (works('docker', ['info'], env)) {
    const mounted = ['--volume', `${folder}:${folder}:ro`];
    const image = `ghcr.io/bojand/ghz:${version}`;
    return {
      command: 'docker',
      args: ['run', '--rm', '--network', 'host', ...mounted, image],
      from: `Docker (${image})`,
    };
  }
  throw new Error(
    'ghz is needed: put it on the PATH (https://ghz.sh), or install Go (go.dev) or Docker, through which it is then run',
  );
}

function works(command: string, args: readonly string[], env: NodeJS.ProcessEnv): boolean {
  return spawnSync(command, args, { stdio: 'ignore', env, timeout: 20_000 }).status === 0;
}
