import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { authorizationOf, chooseProtocol, isAllowedOrigin, offeredBy } from './handshake.ts';

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;

test('the first known encoding is chosen, in the client’s order', () => {
  expect(chooseProtocol(['chat.v1.proto', 'chat.v1.json'])).toBe('chat.v1.proto');
  expect(chooseProtocol(['chat.v1.bearer.x', 'other', 'chat.v1.json', 'chat.v1.proto'])).toBe('chat.v1.json');
  for (const offered of [[], ['chat.v1'], ['CHAT.V1.JSON'], ['chat.v1.bearer.chat.v1.json'], ['toString']]) {
    expect(chooseProtocol(offered)).toBe(false);
  }
});

test('the space between offers does not matter', () => {
  expect(offeredBy(undefined)).toEqual([]);
  expect(offeredBy(' , ,')).toEqual([]);
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[\w.-]+$/)), fc.constantFrom(',', ', ', ' ,\t'), (offers, comma) => {
      expect(offeredBy(offers.join(comma))).toEqual(offers);
    }),
  );
});

describe('the token', () => {
  test('is that of the header, else of the sub-protocols, else there is none', () => {
    const offers = 'chat.v1.json, chat.v1.bearer.a.b-c_d';
    expect(authorizationOf(request({ 'sec-websocket-protocol': offers }))).toBe('Bearer a.b-c_d');
    expect(authorizationOf(request({ authorization: 'Bearer x', 'sec-websocket-protocol': offers }))).toBe('Bearer x');
    expect(authorizationOf(request({ 'sec-websocket-protocol': 'chat.v1.json' }))).toBeUndefined();
    expect(authorizationOf(request({}))).toBeUndefined();
  });
});

describe('a page may connect', () => {
  const publicUrl = 'https://chat.example.com';
  const allowed = (origin: string | undefined, cors: string[] = [], host = 'localhost:8080') =>
    isAllowedOrigin(request({ host, ...(origin !== undefined && { origin }) }), publicUrl, cors);

  test('from the same host, the public address, and configured origins; programs, which name none, always', () => {
    expect(allowed(undefined)).toBe(true);
    expect(allowed('http://localhost:8080')).toBe(true);
    expect(allowed('https://chat.example.com')).toBe(true);
    expect(allowed('https://app.example.com', ['https://app.example.com'])).toBe(true);
    expect(allowed('https://whatever.example', ['*'])).toBe(true);
  });

  test.each([
    'https://evil.example',
    'http://localhost',
    'http://localhost:8081',
    'http://chat.example.com',
    'https://chat.example.com:444',
    'https://chat.example.com.evil.example',
    'https://evil.example/https://chat.example.com',
    'null',
    '',
    'file://',
    'nonsense',
  ])('not from %j', (origin) => {
    expect(allowed(origin, ['https://app.example.com'])).toBe(false);
  });
});
