// A small service for tests to kill: starts the server on a data folder, prints its address, and runs until it is stopped.
// Usage: node embedded-postgres.fixture.ts <dataDir> [<uid>]
import { EmbeddedPostgres } from '../embedded-postgres.ts';

const [dataDir = '', uid] = process.argv.slice(2);
if (uid) {
  process.setgroups?.([]);
  process.setgid?.(Number(uid));
  process.setuid?.(Number(uid));
}
// In place of a shutdown that takes a while.
process.on('SIGINT', () => {});
try {
  const server = await EmbeddedPostgres.start({ dataDir });
  console.log(JSON.stringify({ dsn: server.dsn, pid: server.pid }));
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
