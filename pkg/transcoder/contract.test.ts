import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { httpBindings } from './http-rule.ts';
import { expandPath } from './path-values.ts';
import { Transcoder } from './transcoder.ts';

const services = ['chat.v1.ChatService', 'auth.v1.AuthService'];
const descriptors = readFileSync(new URL('../api/descriptors.binpb', import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
const transcoder = Transcoder.create(descriptors, services);

test('every call of the contract but the stream has its routes, and no two routes are the same', () => {
  const methods = services.flatMap((name) => registry.getService(name)!.methods);
  for (const method of methods) {
    const rpc = `/${method.parent.typeName}/${method.name}`;
    const routes = transcoder.routes.filter((route) => route.rpc === rpc);
    const expected = httpBindings(method, registry).map(
      ({ httpMethod, template }) => `${httpMethod} ${template.source}`,
    );
    expect(routes.map(({ httpMethod, template }) => `${httpMethod} ${template.source}`)).toEqual(expected);
    expect(routes.length > 0).toBe(method.methodKind === 'unary');
  }
  expect(methods.length).toBeGreaterThan(30);
});

test.each(transcoder.routes.map((route) => [`${route.httpMethod} ${route.template.source}`, route] as const))(
  '%s is found by its own path, and its variables reach the request',
  (_, route) => {
    const path = expandPath(route.template, (fieldPath) => `guest:${fieldPath}/é`);
    const match = transcoder.match(route.httpMethod, path);
    if (match.kind !== 'route') throw new Error(match.kind);
    expect(match.route).toBe(route);
    const request = fromBinary(
      route.method.input,
      transcoder.decodeRequest(route, match.variables, '', undefined),
    ) as unknown as Record<string, unknown>;
    for (const { fieldPath } of route.template.variables) {
      const field = route.method.input.fields.find(({ name }) => name === fieldPath);
      expect(request[field!.localName]).toBe(`guest:${fieldPath}/é`);
    }
  },
);
