import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkImports } from './check-imports.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-imports-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Checks a repository of these files: by path, the source. */
function check(files: Record<string, string>): string[] {
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  }
  return checkImports(root);
}

test('the program that lint runs fails, and names the file, the line and the import', () => {
  check({ 'internal/service/hub.ts': "\nimport pg from 'pg';\n" });
  const { status, stderr } = spawnSync(process.execPath, [main, root], { encoding: 'utf8' });
  expect(stderr).toBe('internal/service/hub.ts:2: service may not import pg\n');
  expect(status).toBe(1);
});

describe('a fault is', () => {
  test('an import against the arrow', () => {
    expect(
      check({
        'internal/service/hub.ts': "import { listen } from '../transport/grpc/listen.ts';",
        'internal/transport/grpc/listen.ts': 'export const listen = 1;',
      }),
    ).toEqual(['internal/service/hub.ts:1: service may not import ../transport/grpc/listen.ts (grpc)']);
  });

  test('an adapter where a port is meant', () => {
    expect(
      check({
        'internal/service/hub.ts': "import { Bus } from '../client/bus/nats-bus.ts';",
        'internal/client/bus/nats-bus.ts': 'export class Bus {}',
      }),
    ).toEqual(['internal/service/hub.ts:1: service may not import ../client/bus/nats-bus.ts (bus adapters)']);
  });

  test('a transport that imports another one', () => {
    expect(
      check({
        'internal/transport/sse/handler.ts': "export { json } from '../gateway/json.ts';",
        'internal/transport/gateway/json.ts': 'export const json = 1;',
      }),
    ).toEqual(['internal/transport/sse/handler.ts:1: sse may not import ../gateway/json.ts (gateway)']);
  });

  test('a package that is not listed, a path within it, and one of Node', () => {
    expect(
      check({
        'internal/model/chat.ts': "import { readFile } from 'node:fs/promises';",
        'internal/service/hub.ts': "const { connect } = await import('@nats-io/transport-node/lib/mod.js');",
        'pkg/transcoder/route.ts': "export type Route = import('kysely').Kysely<object>;",
      }),
    ).toEqual([
      'internal/model/chat.ts:1: model may not import node:fs/promises',
      'internal/service/hub.ts:1: service may not import @nats-io/transport-node/lib/mod.js',
      'pkg/transcoder/route.ts:1: transcoder may not import kysely',
    ]);
  });

  test('a package of pkg that imports internal, also in a test and for a type', () => {
    expect(
      check({
        'internal/model/chat.ts': 'export interface Chat {}',
        'pkg/chat-client/index.ts': "import type { Chat } from '../../internal/model/chat.ts';",
        'pkg/chat-client/index.test.ts': "import type { Chat } from '../../internal/model/chat.ts';",
      }),
    ).toEqual([
      'pkg/chat-client/index.test.ts:1: tests of packages may not import ../../internal/model/chat.ts (model)',
      'pkg/chat-client/index.ts:1: sdk may not import ../../internal/model/chat.ts (model)',
    ]);
  });

  test('test code in a program', () => {
    expect(
      check({
        'cmd/bench/main.ts': "import '../../internal/testing/eventually.ts';",
        'internal/testing/eventually.ts': '',
      }),
    ).toEqual(['cmd/bench/main.ts:1: cmd/bench may not import ../../internal/testing/eventually.ts (tests)']);
  });

  test('a file that no area holds', () => {
    expect(check({ 'internal/misc/a.ts': "import './b.ts';", 'internal/misc/b.ts': '' })).toEqual([
      'internal/misc/a.ts: no area of areas.ts holds it',
    ]);
  });

  test('a circle of files, if only of types', () => {
    expect(
      check({
        'internal/model/a.ts': "import type { B } from './b.ts';\nexport interface A { b: B }",
        'internal/model/b.ts': "import type { C } from './c.ts';\nexport interface B { c: C }",
        'internal/model/c.ts': "import type { A } from './a.ts';\nexport interface C { a: A }",
      }),
    ).toEqual([
      'circle of files: internal/model/a.ts → internal/model/b.ts → internal/model/c.ts → internal/model/a.ts',
    ]);
  });

  test('a circle of folders without one of files', () => {
    expect(
      check({
        'internal/service/chats/a.ts': "import '../writing/b.ts';",
        'internal/service/writing/b.ts': '',
        'internal/service/writing/c.ts': "import '../chats/deep/d.ts';",
        'internal/service/chats/deep/d.ts': '',
      }),
    ).toEqual(['circle of folders: internal/service/chats → internal/service/writing → internal/service/chats']);
  });

  test('a circle of a folder and one within it', () => {
    expect(
      check({
        'cmd/chat/main.ts': "import './text/format.ts';",
        'cmd/chat/text/format.ts': "import '../style.ts';",
        'cmd/chat/style.ts': '',
      }),
    ).toEqual(['circle of folders: cmd/chat/. → cmd/chat/text → cmd/chat/.']);
  });
});

test('tests may import anything, and lie in a folder with what they test', () => {
  expect(
    check({
      'internal/service/chats/a.ts': '',
      'internal/service/chats/a.test.ts': "import './a.ts';\nimport '../../testing/node.ts';\nimport pg from 'pg';",
      'internal/testing/node.ts': "import '../service/chats/a.ts';",
    }),
  ).toEqual([]);
});
