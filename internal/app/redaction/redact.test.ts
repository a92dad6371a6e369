import { expect, test } from 'vitest';
import { redactLine, redactText } from './redact.ts';

test.each([
  ['postgres://chat:p%40ss@db:5432/chat', 'postgres://chat:[redacted]@db:5432/chat'],
  ['postgres://chat:p@s/s@db/chat?x=1', 'postgres://chat:[redacted]@db/chat?x=1'],
  ['cannot use (http://:pass@[::1]:80/) now', 'cannot use (http://:[redacted]@[::1]:80/) now'],
  ['at http://db/x?a=1&access_token=abc&b=2', 'at http://db/x?a=1&access_token=[redacted]&b=2'],
  ['authorization: Bearer abc.def-ghi', 'authorization: Bearer [redacted]'],
  ['got eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln in it', 'got eyJhbGciOiJFZERTQSJ9.[redacted] in it'],
  ['x -----BEGIN EC PRIVATE KEY-----\nMII\n-----END EC PRIVATE KEY----- y', 'x [redacted] y'],
  ['x -----BEGIN PRIVATE KEY-----\nMII', 'x [redacted]'],
  ['DETAIL:  Failing row contains (alice, two\nlines', 'DETAIL:  Failing row contains ([redacted])'],
])('of %j the secret is taken out, and nothing else', (text, expected) => {
  expect(redactText(text)).toBe(expected);
});

test.each([
  'cannot listen on http://localhost:8080/docs',
  'http://[::1]:8080 and alice@example.com',
  'the password must have 8 to 128 characters',
  '01920000-0000-7000-8000-000000000000',
])('%j has no secret and stays', (text) => {
  expect(redactText(text)).toBe(text);
});

test('the value of a secret name is removed from a line at any depth, whatever its type', () => {
  const secrets = { refreshToken: 'x', new_password: ['x'], 'Set-Cookie': { a: 'x' }, dsn: 'x', clientSecret: 7 };
  const line = `${JSON.stringify({ level: 'info', a: { b: [{ c: { d: { e: secrets } } }] }, ...secrets })}\n`;
  const expected = Object.fromEntries(Object.keys(secrets).map((name) => [name, '[redacted]']));

  const written = redactLine(line);

  expect(written.endsWith('}\n')).toBe(true);
  expect(JSON.parse(written)).toEqual({ level: 'info', a: { b: [{ c: { d: { e: expected } } }] }, ...expected });
});

test('names that only resemble secret ones keep their values, and null stays null', () => {
  const line = `${JSON.stringify({ pageToken: 'x', tokenExpiresAt: 'x', author: 'x', key: 'x', token: null })}\n`;
  expect(redactLine(line)).toBe(line);
});
