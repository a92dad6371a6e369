import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = new URL('../../../', import.meta.url).pathname;

/** Compiles .proto files, given by name, into an encoded FileDescriptorSet. They may import what is in vendor.protogen. */
export async function compileProtos(files: Record<string, string>): Promise<Uint8Array> {
  const dir = await mkdtemp(join(tmpdir(), 'protos-'));
  try {
    await cp(join(root, 'vendor.protogen'), dir, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
    await promisify(execFile)(join(root, 'node_modules/.bin/buf'), ['build', '-o', 'out.binpb'], { cwd: dir });
    return await readFile(join(dir, 'out.binpb'));
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** A file of `package test.v1` with the usual imports. */
export function protoFile(text: string): string {
  const imports = ['api/annotations', 'protobuf/any', 'protobuf/duration', 'protobuf/empty', 'protobuf/field_mask']
    .concat(['protobuf/struct', 'protobuf/timestamp', 'protobuf/wrappers'])
    .map((name) => `import "google/${name}.proto";`);
  return ['syntax = "proto3";', 'package test.v1;', ...imports, text].join('\n');
}
