import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { restRoutes } from '../../../pkg/api/rest-routes.ts';
import { describeRoutes } from './describe-routes.ts';
import { toSource } from './to-source.ts';

const api = new URL('../../../pkg/api/', import.meta.url);
const descriptors = readFileSync(new URL('descriptors.binpb', api));
const services = ['chat.v1.ChatService', 'auth.v1.AuthService'];

test('the table of routes is that of the contract', () => {
  const routes = describeRoutes(descriptors, services);
  expect(restRoutes).toEqual(routes);
  expect(readFileSync(new URL('rest-routes.ts', api), 'utf8')).toBe(toSource(routes));
});

test('a method has its own path, with the names of JSON, and says where its fields go', () => {
  const { getMessage, joinRoom, connectChat } = describeRoutes(descriptors, services)['chat.v1.ChatService']!;
  expect(getMessage).toEqual({ method: 'GET', path: '/v1/chats/{chatId}/messages/{messageId}', body: false });
  expect(joinRoom).toEqual({ method: 'POST', path: '/v1/rooms/{name}:join', body: true });
  expect(connectChat).toBeUndefined();
});

test('a service that is not there is an error', () => {
  expect(() => describeRoutes(descriptors, ['chat.v2.ChatService'])).toThrow('there is no service chat.v2.ChatService');
});
