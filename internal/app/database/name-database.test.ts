import { expect, test } from 'vitest';
import { nameDatabase } from './name-database.ts';

test.each([
  ['postgres://chat:geheim@db.example.com:6432/chat?sslmode=require', 'PostgreSQL at db.example.com:6432/chat'],
  ['postgresql://db.example.com/chat?user=chat&password=geheim', 'PostgreSQL at db.example.com/chat'],
  ['postgres:///chat?host=/run/postgresql&password=geheim', 'PostgreSQL at /run/postgresql/chat'],
])('%s is %s', (dsn, name) => {
  expect(nameDatabase({ dsn, dataDir: '.data' })).toBe(name);
});

test('the bundled database is described by its folder', () => {
  const name = nameDatabase({ dsn: undefined, dataDir: '/srv/chat/.data/auth' });
  expect(name).toBe('the bundled PostgreSQL in /srv/chat/.data/auth');
});
