import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startApp } from '../../app/app.ts';
import { readConfig } from '../../config/config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { startPrometheus } from '../../servers/monitoring.ts';
import { setScene } from './scene.ts';
import { takeConsolePictures } from './take-console-pictures.ts';
import { takePictures } from './take-pictures.ts';

const folder = new URL('../../../cmd/web/screenshots/', import.meta.url).pathname;
const dataDir = await mkdtemp(join(tmpdir(), 'chat-screenshots-'));
const database = await EmbeddedPostgres.start({ dataDir, database: 'chat' });
const settings = {
  POSTGRES_DSN: database.dsn,
  BUS_URL: 'postgres:',
  GRPC_PORT: '0',
  HTTP_PORT: '0',
  ADMIN_PORT: '0',
  AUTH_ISSUER: 'chat-service',
  RATE_LIMIT_MESSAGES: '0',
  RATE_LIMIT_CALLS: '0',
  RATE_LIMIT_SIGN_INS: '0',
};
const start = (more: Record<string, string> = {}) => {
  const env = { ...settings, ...more };
  return startApp(new LiveConfig(readConfig(env), env), pino({ level: 'silent' }));
};
const app = await start();
const prometheus = await startPrometheus({
  chatPorts: [app.adminPort!],
  alertmanagerPort: undefined,
  everySeconds: 2,
});
/** Its console draws the dashboards; that of the other one its own metrics. */
const second = await start({ ADMIN_PROMETHEUS_URL: `http://127.0.0.1:${prometheus.port}` });
try {
  const url = `http://127.0.0.1:${app.httpPort}`;
  const scene = await setScene(url, database.dsn);
  await mkdir(folder, { recursive: true });
  await takePictures(url, scene, folder);
  const ports = { adminPort: app.adminPort!, dashboardsPort: second.adminPort! };
  await takeConsolePictures({ url, ...ports, dsn: database.dsn }, scene, folder);
  await Promise.all(scene.people.map(({ client }) => client.close()));
  console.log(`The pictures are in ${folder}`);
} finally {
  await second.stop();
  await prometheus.stop();
  await app.stop();
  await database.stop();
  await rm(dataDir, { recursive: true, force: true });
}
