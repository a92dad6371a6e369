import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithProcess } from '../../internal/servers/end-with-process.ts';

const collectGarbage = new URL('collect-garbage.ts', import.meta.url);

/** A server, as a child process. */
export interface MeasuredProcess {
  /** Collects all garbage; resolves with the resident memory, in bytes. */
  rssBytes(): Promise<number>;
  /** CPU time used so far, in microseconds. */
  cpuMicros(): number;
  stop(): Promise<void>;
}

/** Starts the service with limits high enough for the load. */
export interface ServiceProcess extends MeasuredProcess {
  /** `host:port` */
  address: string;
  /** `http://host:port` */
  url: string;
}

export async function startService(dsn: string, env: Record<string, string> = {}): Promise<ServiceProcess> {
  const settings = {
    POSTGRES_DSN: dsn,
    GRPC_PORT: '0',
    HTTP_PORT: '0',
    AUTH_GUESTS: 'true',
    AUTH_TOKEN_TTL_SECONDS: '86400',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_MESSAGES: '0',
    RATE_LIMIT_CALLS: '0',
    RATE_LIMIT_GUESTS: '0',
    MAX_STREAMS_PER_USER: '0',
    ...env,
  };
  const main = new URL('../server/main.ts', import.meta.url);
  const { announced, ...started } = await startProcess(main, settings, /gRPC\s+(\S+:\d+).*HTTP\s+(\S+:\d+)/s);
  return { ...started, address: announced[1]!, url: announced[2]! };
}

/** Starts a program; resolves when a line of its standard error matches. */
export async function startProcess(
  main: URL,
  env: Record<string, string>,
  announcement: RegExp,
): Promise<MeasuredProcess & { announced: RegExpExecArray }> {
  const child = spawn(process.execPath, [fileURLToPath(main)], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { PATH: process.env.PATH, NODE_OPTIONS: `--import=${collectGarbage}`, ...env },
  });
  endWithProcess(child);
  return {
    announced: await readAnnouncement(child, announcement),
    rssBytes: async () => {
      child.kill('SIGUSR2');
      await sleep(3_000);
      return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1_024;
    },
    cpuMicros: () => {
      // Fields 14 and 15 are user and system time in ticks of 10 ms; the name in brackets may contain spaces.
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10_000;
    },
    stop: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function readAnnouncement(child: ChildProcess, announcement: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stderr?.on('data', (chunk) => {
      output += chunk;
      const announced = announcement.exec(output);
      if (announced) resolve(announced);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
  });
}
