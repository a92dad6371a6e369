import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type App, startApp } from '../../app/app.ts';
import { abortOnInterrupt, orInterrupted } from '../../app/process/abort-on-interrupt.ts';
import { readConfig } from '../../config/config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { startPrometheus } from '../../servers/monitoring.ts';
import { setScene } from './scene.ts';
import { takeConsolePictures } from './take-console-pictures.ts';
import { takePictures } from './take-pictures.ts';

const folder = new URL('../../../cmd/web/screenshots/', import.meta.url).pathname;

const signal = abortOnInterrupt('interrupted: some pictures are of before');
try {
  await takeAll(signal);
  console.log(`The pictures are in ${folder}`);
} catch (error) {
  console.error(`error: ${((signal.aborted ? signal.reason : error) as Error).message}`);
  // What was interrupted may still wait.
  process.exit(1);
}

/** Takes every picture of services with a PostgreSQL of their own. Throws the signal's reason when that aborts; leaves nothing running. */
async function takeAll(signal: AbortSignal): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-screenshots-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true, maxRetries: 10 }));
  const database = await EmbeddedPostgres.start({ dataDir, database: 'chat' }, signal);
  opened.defer(() => database.stop());
  const open = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    opened.defer(() => server.stop());
    signal.throwIfAborted();
    return server;
  };
  const app = await open(start(database.dsn));
  const ports = { chatPorts: [app.adminPort!], alertmanagerPort: undefined };
  const prometheus = await open(startPrometheus({ ...ports, everySeconds: 2 }));
  /** Its console draws the dashboards; that of the other one its own metrics. */
  const second = await open(start(database.dsn, { ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${prometheus.port}` }));

  const url = `http://127.0.0.1:${app.httpPort}`;
  const scene = await orInterrupted(setScene(url, database.dsn), signal);
  opened.defer(async () => void (await Promise.all(scene.people.map(({ client }) => client.close()))));
  await mkdir(folder, { recursive: true });
  await orInterrupted(takePictures(url, scene, folder), signal);
  const where = { url, adminPort: app.adminPort!, dashboardsPort: second.adminPort!, dsn: database.dsn };
  await orInterrupted(takeConsolePictures(where, scene, folder), signal);
}

function start(dsn: string, more: Record<string, string> = {}): Promise<App> {
  const env = {
    POSTGRES_DSN: dsn,
    BUS_URL: 'postgres:',
    GRPC_PORT: '0',
    HTTP_PORT: '0',
    ADMIN_PORT: '0',
    AUTH_ISSUER: 'chat-service',
    RATE_LIMIT_MESSAGES: '0',
    RATE_LIMIT_CALLS: '0',
    RATE_LIMIT_SIGN_INS: '0',
    ...more,
  };
  return startApp(new LiveConfig(readConfig(env), env), pino({ level: 'silent' }));
}
