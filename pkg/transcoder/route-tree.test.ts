import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePathTemplate } from './path-template.ts';
import { expandPath } from './path-values.ts';
import type { Route } from './route.ts';
import { RouteTree } from './route-tree.ts';

/** A tree of routes as in "GET /v1/a"; each is its own rpc. */
function treeOf(...routes: string[]): RouteTree {
  const tree = new RouteTree();
  for (const rpc of routes) {
    const [httpMethod = '', source = ''] = rpc.split(' ');
    tree.add({ httpMethod, template: parsePathTemplate(source), rpc } as Route);
  }
  return tree;
}

/** "GET /v1/{a}" and what is bound; or why there is none. */
function find(tree: RouteTree, request: string): unknown {
  const [method = '', path = ''] = request.split(' ');
  const match = tree.match(method, path);
  if (match.kind === 'route') return [match.route.rpc, Object.fromEntries(match.variables)];
  return match.kind === 'method_not_allowed' ? match.allow.join(', ') : match.kind;
}

describe('what is bound', () => {
  test('a variable of one segment is decoded wholly', () => {
    const tree = treeOf('GET /v1/{a}/x/{b}');
    expect(find(tree, 'GET /v1/p%2Fq%3A%25%20%C3%A9/x/c+d')).toEqual(['GET /v1/{a}/x/{b}', { a: 'p/q:% é', b: 'c+d' }]);
  });

  test('a variable of several segments keeps encoded slashes, so that none is mistaken for another', () => {
    const tree = treeOf('GET /v1/{a=shelves/*}/x/{b=**}');
    expect(find(tree, 'GET /v1/shelves/p%2Fq%3A/x/c%2f%2Fd/e%20f')).toMatchObject([
      expect.anything(),
      { a: 'shelves/p%2Fq:', b: 'c%2f%2Fd/e f' },
    ]);
  });

  test('** takes any number of segments, also none', () => {
    const tree = treeOf('GET /v1/{a=**}', 'GET /v2/{a=x/**}:go');
    expect(find(tree, 'GET /v1')).toMatchObject([expect.anything(), { a: '' }]);
    expect(find(tree, 'GET /v1/b/c/d')).toMatchObject([expect.anything(), { a: 'b/c/d' }]);
    expect(find(tree, 'GET /v2/x:go')).toMatchObject([expect.anything(), { a: 'x' }]);
    expect(find(tree, 'GET /v2/x/y/z:go')).toMatchObject([expect.anything(), { a: 'x/y/z' }]);
    expect(find(tree, 'GET /v2/x/y/z')).toBe('not_found');
  });
});

describe('verbs', () => {
  const tree = treeOf('POST /v1/chats/{a}:markRead', 'GET /v1/messages:search', 'GET /v1/messages/{a}');
  const members = treeOf('GET /v1/members/{a}', 'POST /v1/members/{a}:ban');

  test('a verb is told from the value, by its last colon', () => {
    expect(find(tree, 'POST /v1/chats/1:2:markRead')).toEqual(['POST /v1/chats/{a}:markRead', { a: '1:2' }]);
    expect(find(tree, 'GET /v1/messages:search')).toEqual(['GET /v1/messages:search', {}]);
    expect(find(tree, 'POST /v1/chats/1')).toBe('not_found');
    expect(find(tree, 'POST /v1/chats/1:markread')).toBe('not_found');
  });

  test('what follows a colon and is no verb belongs to the value', () => {
    expect(find(members, 'GET /v1/members/guest:alice')).toEqual(['GET /v1/members/{a}', { a: 'guest:alice' }]);
    expect(find(members, 'GET /v1/members/guest:')).toEqual(['GET /v1/members/{a}', { a: 'guest:' }]);
  });

  test('an encoded colon never begins a verb', () => {
    expect(find(members, 'POST /v1/members/x%3Aban')).toBe('GET, HEAD');
    expect(find(members, 'POST /v1/members/x%3Aban:ban')).toEqual(['POST /v1/members/{a}:ban', { a: 'x:ban' }]);
  });

  test('a verb of another method can be a value', () => {
    expect(find(members, 'GET /v1/members/x:ban')).toEqual(['GET /v1/members/{a}', { a: 'x:ban' }]);
  });
});

describe('which route', () => {
  test('literals win over variables, from the left, whatever the order', () => {
    const routes = ['GET /v1/{a}/c', 'GET /v1/b/{d}', 'GET /v1/b/c', 'GET /v1/{e=**}', 'GET /v1/{a}/{b}'];
    for (const order of [routes, routes.toReversed()]) {
      const tree = treeOf(...order);
      const rpcOf = (path: string) => (find(tree, `GET ${path}`) as string[])[0];
      expect(rpcOf('/v1/b/c')).toBe('GET /v1/b/c');
      expect(rpcOf('/v1/b/x')).toBe('GET /v1/b/{d}');
      expect(rpcOf('/v1/x/c')).toBe('GET /v1/{a}/c');
      expect(rpcOf('/v1/x/y')).toBe('GET /v1/{a}/{b}');
      expect(rpcOf('/v1/b')).toBe('GET /v1/{e=**}');
      expect(rpcOf('/v1/b/c/d')).toBe('GET /v1/{e=**}');
    }
  });

  test('a literal that leads nowhere, or to other methods only, does not hide a variable', () => {
    const tree = treeOf('GET /v1/a/b/c', 'GET /v1/{x}/b/d', 'POST /v1/a/b/d');
    expect(find(tree, 'GET /v1/a/b/d')).toEqual(['GET /v1/{x}/b/d', { x: 'a' }]);
  });

  test('HEAD is served by GET, unless it has a route of its own; a custom * serves what nothing else does', () => {
    const tree = treeOf('GET /a', 'HEAD /b', 'GET /b', '* /b');
    expect(find(tree, 'HEAD /a')).toEqual(['GET /a', {}]);
    expect(find(tree, 'HEAD /b')).toEqual(['HEAD /b', {}]);
    expect(find(tree, 'PURGE /b')).toEqual(['* /b', {}]);
  });

  test('the methods that a path allows are all there, sorted', () => {
    const tree = treeOf('PUT /v1/a', 'GET /v1/{x}', 'DELETE /v1/{y=**}', 'POST /v1/a:b', 'PATCH /v1/a/b');
    expect(find(tree, 'OPTIONS /v1/a')).toBe('DELETE, GET, HEAD, PUT');
    expect(find(tree, 'OPTIONS /v1/a:b')).toBe('DELETE, GET, HEAD, POST');
    expect(find(tree, 'OPTIONS /v2')).toBe('not_found');
  });

  test.each([
    ['GET /a/{b}', 'GET /a/{c}'],
    ['GET /a/*', 'GET /a/{c=*}'],
    ['GET /a/{b=c/*}', 'GET /{d=a/c}/{e}'],
    ['GET /a/{b=**}', 'GET /a/**'],
    ['GET /a:b', 'GET /a:b'],
    ['GET /%61', 'GET /a'],
  ])('%s and %s collide', (one, other) => {
    expect(() => treeOf(one, other)).toThrow(`${other} of ${other} collides with ${one.slice(4)} of ${one}`);
  });

  test('the same path with other methods, other verbs or another length does not collide', () => {
    expect(() => treeOf('GET /a/{b}', 'POST /a/{b}', 'GET /a/{b}:c', 'GET /a', 'GET /a/b', 'GET /a/**')).not.toThrow();
  });
});

describe('paths that do not match', () => {
  const tree = treeOf('GET /v1/a', 'GET /v1/a/{b}', 'GET /v2/**', 'GET /v1/{b}/c');
  test.each([
    '',
    '/',
    'v1/a',
    '/v1/a/',
    '/v1//',
    '/v1//c',
    '//v1/a',
    '/V1/a',
    '/v2/',
    '/v2/a//b',
    '/v2/a/',
    '/v1/a/b/d',
  ])('%j', (path) => {
    expect(tree.match('GET', path)).toEqual({ kind: 'not_found' });
  });

  test('a literal is found in whatever encoding', () => {
    expect(find(tree, 'GET /v1/%61')).toEqual(['GET /v1/a', {}]);
    expect(find(tree, 'GET /v1%2Fa')).toBe('not_found');
  });

  test.each([
    '/%',
    '/v1/%zz',
    '/v1/a%2',
    '/v1/a/%FF',
    '/v1/a/%C3',
    '/v1/a/%ED%A0%80',
    '/nowhere/%',
    '/v1/é',
    '/v1/a b',
    '/v1/\0',
  ])('%j is no path at all', (path) => {
    expect(tree.match('GET', path)).toEqual({ kind: 'bad_path', description: 'must be percent-encoded UTF-8' });
  });
});

const word = fc.string({ unit: fc.constantFrom(...'abz09-._~'), minLength: 1, maxLength: 4 });
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((value) => value.isWellFormed());

/** A pattern of a variable, and values that fit it. */
const pattern = fc.oneof(
  fc.constant({ source: '', value: text }),
  fc.constant({ source: '=*', value: text }),
  word.map((name) => ({
    source: `=${name}/*`,
    value: text.map((value) => `${name}/${value.replaceAll('/', '')}x`),
  })),
);
const rest = fc.option(
  fc.record({
    source: fc.constantFrom('=**', '=r/**'),
    parts: fc.array(
      text.map((value) => `${value.replaceAll('/', '')}x`),
      { maxLength: 3 },
    ),
  }),
  { nil: undefined },
);

test('what a template expands to matches it again, with the same values', () => {
  const templates = fc
    .record({
      parts: fc.array(fc.record({ word, pattern }), { minLength: 1, maxLength: 4 }),
      rest,
      verb: fc.option(word),
    })
    .chain(({ parts, rest: tail, verb }) => {
      const source = parts.map((part, at) => `/${part.word}/{v${at}.x${part.pattern.source}}`).join('');
      const template = `${source}${tail ? `/{rest${tail.source}}` : ''}${verb ? `:${verb}` : ''}`;
      const values = fc.tuple(...parts.map((part) => part.pattern.value));
      const restValue = tail && [...(tail.source === '=r/**' ? ['r'] : []), ...tail.parts].join('/');
      return values.map((all) => ({ template, values: all as string[], restValue }));
    });
  fc.assert(
    fc.property(templates, ({ template, values, restValue }) => {
      const parsed = parsePathTemplate(template);
      const expected = Object.fromEntries(values.map((value, at) => [`v${at}.x`, value]));
      if (restValue !== undefined) expected.rest = restValue;
      // %2F stays as it is in several segments: such a value does not come back as it was.
      fc.pre(
        parsed.variables.every(({ multiSegment, fieldPath }) => !multiSegment || !/%2f/i.test(expected[fieldPath]!)),
      );
      const path = expandPath(parsed, (fieldPath) => expected[fieldPath]!);
      expect(path).toMatch(/^[-\w.~%/]+(?::[-\w.~]+)?$/);
      expect(find(treeOf(`GET ${template}`), `GET ${path}`)).toEqual([`GET ${template}`, expected]);
    }),
  );
});

test('no path makes matching throw', () => {
  const tree = treeOf('GET /v1/{a}/b:c', 'GET /v1/{a=**}', 'POST /{a=b/*}/c', 'GET /v1/{a}:d');
  const bits = fc.constantFrom(
    '/',
    '/v1',
    'b',
    ':',
    ':c',
    '%',
    '%2F',
    '%zz',
    '%C3%A9',
    '\ud800',
    '',
    'é',
    '?',
    '**',
    '{a}',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(bits).map((all) => all.join('')),
      ),
      (path) => {
        const { kind } = tree.match('GET', path);
        expect(['route', 'not_found', 'bad_path', 'method_not_allowed']).toContain(kind);
      },
    ),
  );
});

test.each([
  ['/v1/{a}', ''],
  ['/v1/{a=x/*}', 'y/z'],
  ['/v1/{a=x/*}', 'x/y/z'],
  ['/v1/{a=x/*}', 'x/'],
  ['/v1/{a=x/**}', ''],
  ['/v1/{a=x}', 'y'],
  ['/v1/{a=**}', 'x//y'],
])('%s has no room for %j', (template, value) => {
  expect(() => expandPath(parsePathTemplate(template), () => value)).toThrow(`does not fit a in ${template}`);
});
