import { expect, test } from 'vitest';
import { targetOf } from './target.ts';

test.each([
  [undefined, {}, 'grpc', 50_051],
  [undefined, { GRPC_PORT: '6000' }, 'grpc', 6_000],
  [undefined, { ROLES: 'grpc,gateway,auth' }, 'grpc', 50_051],
  [undefined, { ROLES: ' gateway ', GRPC_PORT: '6000' }, 'http', 8_080],
  [undefined, { ROLES: 'gateway', HTTP_PORT: '6001' }, 'http', 6_001],
  [undefined, { ROLES: 'auth' }, 'grpc', 50_052],
  [undefined, { ROLES: 'writer' }, 'grpc', 50_051],
  ['gateway', {}, 'http', 8_080],
  ['auth-server', {}, 'grpc', 50_052],
  ['message-writer', { GRPC_PORT: '' }, 'grpc', 50_053],
  ['message-writer', { GRPC_PORT: '50051' }, 'grpc', 50_051],
] as const)('%s with %j is asked by %s at %i', (program, env, kind, port) => {
  expect(targetOf(program, env)).toEqual({ kind, port });
});

test('a program that does not exist is a fault', () => {
  expect(() => targetOf('relay', {})).toThrow('there is no program relay: give one of server, gateway');
});
