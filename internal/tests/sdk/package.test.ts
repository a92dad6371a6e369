import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('../../../pkg/chat-client/', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const tsc = join(modules, '.bin', 'tsc');

let folder: string;
let service: TestService;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chat-service-client-'));
  [service] = await Promise.all([startTestService(), install()]);
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Builds and packs the package as for publication, and unpacks it as npm does. */
async function install(): Promise<void> {
  const packed = join(folder, 'packed');
  mkdirSync(packed);
  for (const file of ['package.json', 'README.md', 'LICENSE']) cpSync(join(source, file), join(packed, file));
  await run(process.execPath, [tsc, '-p', source, '--outDir', join(packed, 'dist')]);
  await run('npm', ['pack', '--ignore-scripts', '--offline', '--pack-destination', folder], {
    cwd: packed,
    env: { ...process.env, npm_config_cache: join(folder, 'cache'), npm_config_update_notifier: 'false' },
  });
  const target = join(folder, 'node_modules', 'chat-service-client');
  mkdirSync(target, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string };
  const archive = join(folder, `chat-service-client-${version}.tgz`);
  await run('tar', ['-xzf', archive, '-C', target, '--strip-components=1']);
  provide('@bufbuild/protobuf', 'nice-grpc-common');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
}

function provide(...names: string[]): void {
  for (const name of names) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(modules, name), link);
  }
}

async function runProgram(imports: string, transport: string): Promise<unknown> {
  const program = `
    import { ChatClient, guest } from 'chat-service-client';
    ${imports}
    const client = new ChatClient({ transport: ${transport}, token: guest('packaged') });
    await client.connect();
    const room = await client.joinRoom('packaged');
    const { seq } = await client.send(room.id, 'Hello!');
    const [message] = (await client.history(room.id)).slice(-1);
    await client.close();
    console.log(JSON.stringify({ seq: seq > 0, text: message.text }));
  `;
  writeFileSync(join(folder, 'program.js'), program);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: folder });
  return JSON.parse(stdout);
}

const said = { seq: true, text: 'Hello!' };

test('the package works from plain JavaScript over WebSocket, without the packages of gRPC', async () => {
  const imports = "import { webSocketTransport } from 'chat-service-client';";
  expect(await runProgram(imports, `webSocketTransport('${service.url}')`)).toEqual(said);
});

test('the package works from plain JavaScript over gRPC, with the packages of gRPC', async () => {
  provide('nice-grpc', '@grpc/grpc-js');
  const imports = "import { grpcTransport } from 'chat-service-client/grpc';";
  expect(await runProgram(imports, `grpcTransport('${service.address}')`)).toEqual(said);
});

test('the package has types for browsers and for Node', async () => {
  const program = `
    import { ChatClient, guest, webSocketTransport } from 'chat-service-client';
    const client = new ChatClient({ transport: webSocketTransport('/'), token: guest('typed') });
    client.on('message', ({ seq }) => seq.toFixed());
    export const rooms: Promise<number> = client.call('listRooms', {}).then(({ rooms }) => rooms.length);
    // @ts-expect-error
    export const wrong: Promise<string> = client.call('listRooms', {}).then(({ rooms }) => rooms.length);
  `;
  writeFileSync(join(folder, 'typed.ts'), program);
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--types', '', '--lib', 'es2023,dom,dom.iterable'];
  for (const resolution of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    await run(process.execPath, [tsc, ...options, ...resolution, 'typed.ts'], { cwd: folder });
  }
});
