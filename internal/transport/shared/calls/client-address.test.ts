import { describe, expect, test } from 'vitest';
import { clientAddressVia } from './client-address.ts';

describe('the address of a client', () => {
  const address = clientAddressVia(['loopback', '10.0.0.0/8']);

  test('is the peer, without X-Forwarded-For', () => {
    expect(address('127.0.0.1:4711', undefined)).toBe('127.0.0.1:4711');
  });

  test.each([
    ['127.0.0.1:1', '203.0.113.7', '203.0.113.7:0'],
    ['10.1.2.3:1', '203.0.113.7, 10.9.9.9', '203.0.113.7:0'],
    ['[::1]:1', '2001:db8::1', '[2001:db8::1]:0'],
    ['::1:1', '203.0.113.7', '203.0.113.7:0'],
  ])('is the one for which a trusted peer %s forwards: %s', (peer, forwardedFor, expected) => {
    expect(address(peer, forwardedFor)).toBe(expected);
  });

  test('is the last forwarded one that is not trusted: a client can forge those before it', () => {
    expect(address('127.0.0.1:1', '198.51.100.1, 203.0.113.7')).toBe('203.0.113.7:0');
  });

  test('is the peer, if the peer is not trusted', () => {
    expect(address('203.0.113.9:5', '198.51.100.1')).toBe('203.0.113.9:5');
    expect(clientAddressVia([])('127.0.0.1:5', '198.51.100.1')).toBe('127.0.0.1:5');
  });

  test('is found whatever a client puts into X-Forwarded-For', () => {
    for (const junk of ['', ',', 'x', '1.2.3', 'a'.repeat(10_000), '127.0.0.1,,,', '::ffff:127.0.0.1']) {
      expect(() => address('127.0.0.1:1', junk)).not.toThrow();
    }
  });
});
