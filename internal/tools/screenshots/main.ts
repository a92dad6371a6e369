import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startApp } from '../../app/app.ts';
import { readConfig } from '../../config/config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { EmbeddedPostgres } from '../../embedded/embedded-postgres.ts';
import { setScene } from './scene.ts';
import { takeConsolePictures } from './take-console-pictures.ts';
import { takePictures } from './take-pictures.ts';

const folder = new URL('../../../cmd/web/screenshots/', import.meta.url).pathname;
const dataDir = await mkdtemp(join(tmpdir(), 'chat-screenshots-'));
const database = await EmbeddedPostgres.start({ dataDir, database: 'chat' });
const config = readConfig({
  POSTGRES_DSN: database.dsn,
  GRPC_PORT: '0',
  HTTP_PORT: '0',
  ADMIN_PORT: '0',
  AUTH_ISSUER: 'chat-service',
  RATE_LIMIT_MESSAGES: '0',
  RATE_LIMIT_CALLS: '0',
  RATE_LIMIT_SIGN_INS: '0',
});
const app = await startApp(new LiveConfig(config), pino({ level: 'silent' }));
try {
  const url = `http://127.0.0.1:${app.httpPort}`;
  const scene = await setScene(url, database.dsn);
  await mkdir(folder, { recursive: true });
  await takePictures(url, scene, folder);
  await takeConsolePictures({ url, adminPort: app.adminPort!, dsn: database.dsn }, scene, folder);
  await Promise.all(scene.people.map(({ client }) => client.close()));
  console.log(`The pictures are in ${folder}`);
} finally {
  await app.stop();
  await database.stop();
  await rm(dataDir, { recursive: true, force: true });
}
