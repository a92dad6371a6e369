import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Node } from '../model/node.ts';
import { fromGatewayNews, toGatewayNews } from './node.ts';

const node: Node = {
  id: randomUUID(),
  host: 'gätewäy-1',
  pid: 7,
  version: '1.0.0',
  roles: ['gateway'],
  startedAt: new Date('2026-01-01T00:00:00Z'),
  sessions: 0,
  connections: 3,
  ready: true,
};

test('what a gateway tells arrives whole, by printable ASCII', () => {
  for (const news of [{ kind: 'lives', node } as const, { kind: 'ends', id: node.id } as const]) {
    expect(toGatewayNews(news)).toMatch(/^[ -~]+$/);
    expect(fromGatewayNews(toGatewayNews(news))).toEqual(news);
  }
});

test('a gateway cannot tell of other roles than its own', () => {
  const news = toGatewayNews({ kind: 'lives', node: { ...node, roles: ['chat'] } });
  expect(fromGatewayNews(news)).toMatchObject({ node: { roles: ['gateway'] } });
});

test.each(
  [
    ['', 'null', '[]', '7', '{}', '{"kind":"lives"}', '{"kind":"ends","id":"x"}'],
    Object.entries({ id: 'x', host: 'x'.repeat(256), pid: -1, version: 7, startedAt: 'x', connections: 2 ** 31 }).map(
      ([field, value]) => JSON.stringify({ kind: 'lives', node: { ...node, [field]: value } }),
    ),
  ].flat(),
)('%s is nothing that a gateway tells', (text) => {
  expect(fromGatewayNews(text)).toBeUndefined();
});
