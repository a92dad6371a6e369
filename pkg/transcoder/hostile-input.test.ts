import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { kindsProto } from './testing/kinds.ts';
import { decode, startTranscoding, type Transcoding } from './testing/transcoding.ts';
import type { Route } from './transcoder.ts';

let kinds: Transcoding;
let put: Route;
let find: Route;
beforeAll(async () => {
  kinds = await startTranscoding(kindsProto, 'Kinds');
  [put, find] = kinds.transcoder.routes as [Route, Route];
});

const none = new Map<string, string>();

/** How long it takes to read JSON of four million characters, in milliseconds. */
let yardstickMs: number;
beforeAll(() => {
  const json = `[${'"x",'.repeat(1_000_000)}"x"]`;
  yardstickMs = Math.min(...[1, 2, 3].map(() => timed(() => JSON.parse(json))));
});

function timed(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

/** The violations of a body or query; none if there are none. Fails if finding them takes much longer than reading as much JSON. */
function violationsOf(route: Route, query: string, body?: string): string[] {
  let answer: unknown;
  const find = () => {
    answer = decode(kinds.transcoder, route, none, query, body);
  };
  const limitMs = 40 * yardstickMs;
  // A busy machine may stop any of them, hardly all.
  if (timed(find) > limitMs) expect(Math.min(...[1, 2, 3].map(() => timed(find)))).toBeLessThan(limitMs);
  return Array.isArray(answer) ? answer : [];
}

const tooDeep = ['body must not be nested deeper than 100 levels'];

describe('nesting', () => {
  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '1}'],
    ['messages', '{"fAll":', '{}}'],
    ['values', '{"wValue":', '[]}'],
  ])('100,000 %s within each other are refused', (_, open, close) => {
    expect(violationsOf(put, '', open.repeat(100_000) + close + close.slice(-1).repeat(99_999))).toEqual(tooDeep);
  });

  test('100 levels are read, also where each is two messages', () => {
    expect(violationsOf(put, '', `${'{"fAll":'.repeat(99)}{}${'}'.repeat(99)}`)).toEqual([]);
    expect(violationsOf(put, '', `{"wStruct":${'{"a":'.repeat(98)}{}${'}'.repeat(99)}`)).toEqual([]);
    expect(violationsOf(put, '', `{"wValue":${'['.repeat(99)}${']'.repeat(99)}}`)).toEqual([]);
    const mixed = `{"wStruct":${'{"a":['.repeat(49)}12345678901234567890${']}'.repeat(49)}}`;
    expect(violationsOf(put, '', mixed)).toEqual([]);
    expect(violationsOf(put, '', `${'{"fAll":'.repeat(100)}{}${'}'.repeat(100)}`)).toEqual(tooDeep);
  });

  test('a query that goes down for ever is refused', () => {
    const path = `${'f_all.'.repeat(50_000)}f_int32`;
    expect(violationsOf(find, `${path}=1`)).toEqual([expect.stringContaining('… is not a known field')]);
    expect(violationsOf(find, `${'f_all.'.repeat(31)}f_int32=1`)).toEqual([]);
  });
});

describe('size', () => {
  const million = 1_000_000;

  test('no more than 100 violations are collected', () => {
    expect(violationsOf(put, '', `{"rInt32": [${'"x",'.repeat(million)}"x"]}`)).toHaveLength(100);
    const unknown = Array.from({ length: 100_000 }, (_, at) => [`x${at}`, at]);
    expect(violationsOf(put, '', JSON.stringify(Object.fromEntries(unknown)))).toHaveLength(100);
    const rest = { f_int32: 1, fInt32: 'x' };
    expect(
      violationsOf(put, '', JSON.stringify({ ...Object.fromEntries(unknown.slice(0, 99)), ...rest })),
    ).toHaveLength(100);
    expect(violationsOf(find, 'x=1&'.repeat(100_000))).toHaveLength(100);
    expect(violationsOf(put, '', `{${'"a": 1,'.repeat(100_000)}"b": 2}`)).toHaveLength(100);
    expect(violationsOf(put, '', `{"wValue": [${'1e999,'.repeat(million)}1]}`)).toHaveLength(100);
  });

  test('what a client made up is told back shortened', () => {
    const [violation] = violationsOf(put, '', JSON.stringify({ ['x'.repeat(million)]: 1 }));
    expect(violation).toBe(`${'x'.repeat(64)}… is not a known field`);
    expect(violationsOf(find, `${'x'.repeat(million)}=1`)).toEqual([violation]);
  });

  test.each([
    ['fInt32', '1'.repeat(million)],
    ['fInt32', `${'1'.repeat(million)}x`],
    ['fInt64', '1'.repeat(million)],
    ['fInt64', `${'0'.repeat(million)}x`],
    ['fDouble', `${'1'.repeat(million)}x`],
    ['fDouble', `.${'1'.repeat(million)}e${'1'.repeat(million)}x`],
    ['fBytes', `${'='.repeat(million)}x`],
    ['fColour', '1'.repeat(million)],
    ['wTimestamp', `2024-01-01T00:00:00.${'1'.repeat(million)}Z`],
    ['wDuration', `${'1'.repeat(million)}s`],
    ['wMask', ','.repeat(million).concat('_')],
    ['wAny', { '@type': '/'.repeat(million) }],
  ])('%s of a million characters is refused quickly', (name, value) => {
    expect(violationsOf(put, '', JSON.stringify({ [name]: value }))).toHaveLength(1);
  });

  test('an integer of sixteen million digits is not computed', () => {
    const body = JSON.stringify({ fInt64: '1'.repeat(16 * million) });
    expect(violationsOf(put, '', body)).toHaveLength(1);
  });

  test('long strings and long runs of escapes are scanned once', () => {
    expect(violationsOf(put, '', JSON.stringify({ fString: '\\"'.repeat(million) }))).toEqual([]);
    expect(violationsOf(put, '', JSON.stringify({ fString: '\\'.repeat(million) }))).toEqual([]);
    expect(violationsOf(put, '', '"'.repeat(million))).toHaveLength(1);
    expect(violationsOf(put, '', `{"fInt32": ${'1'.repeat(million)}}`)).toHaveLength(1);
  });

  test('a path of a million slashes leads nowhere', () => {
    expect(kinds.transcoder.match('GET', '/'.repeat(million))).toEqual({ kind: 'not_found' });
    expect(kinds.transcoder.match('GET', `/${':'.repeat(million)}`)).toEqual({ kind: 'not_found' });
  });
});

test('names of prototypes are names like others, and nothing is polluted', () => {
  const body =
    '{"__proto__": {"fInt32": 1}, "constructor": {"prototype": {"x": 1}}, "fOne": {"__proto__": {"itsName": "a"}}}';
  expect(violationsOf(put, '', body)).toEqual([
    '__proto__ is not a known field',
    'constructor must be a string, not an object',
    'f_one.__proto__ is not a known field',
  ]);
  expect(violationsOf(put, '', '{"wStruct": {"__proto__": {"x": 1}}, "mStringInt64": {"__proto__": 1}}')).toEqual([]);
  expect(violationsOf(find, '__proto__.x=1&constructor.prototype.x=1')).toHaveLength(2);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
  expect(({} as Record<string, unknown>).fInt32).toBeUndefined();
});

describe('whatever is sent is read or refused with violations, nothing else', () => {
  const check = (violations: string[]) => {
    expect(violations.length).toBeLessThanOrEqual(100);
    // Every fault has been found before the library meets it.
    expect(violations.filter((violation) => violation.includes('cannot be read'))).toEqual([]);
    for (const violation of violations) expect(violation.isWellFormed()).toBe(true);
  };
  const loose = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom<unknown>(
      'NaN',
      '1',
      '-1',
      '0x1',
      ' 1',
      '1e2',
      'RED',
      'NULL_VALUE',
      'true',
      '1s',
      'a,b',
      'AA==',
      '__proto__',
    ),
    fc.constantFrom<unknown>(
      '2024-01-01T00:00:00Z',
      '2024-01-01t00:00:00z',
      '2024-01-01T23:59:60Z',
      '2024-12-31T00:00:00+14:60',
    ),
    fc.constantFrom<unknown>(1e18, 2 ** 53, -0, 1.5, 2 ** 31, null, true, [], {}, [null], [[]], { '': null }),
  );

  test('bodies that are text', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.json());
    fc.assert(fc.property(text, (body) => check(violationsOf(put, '', body))));
  });

  test('bodies with the right names', () => {
    const names = put.method.input.fields.flatMap(({ name, jsonName }) => [name, jsonName]);
    const value = fc.letrec((tie) => ({
      object: fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 4 }),
      any: fc.oneof({ depthSize: 'small' }, loose, fc.array(loose, { maxLength: 2 }), tie('object')),
    }));
    fc.assert(
      fc.property(value.object, (json) => check(violationsOf(put, '', JSON.stringify(json)))),
      { numRuns: 2_000 },
    );
  });

  test('one field at a time', () => {
    for (const { jsonName } of put.method.input.fields) {
      fc.assert(
        fc.property(loose, (value) => check(violationsOf(put, '', JSON.stringify({ [jsonName]: value })))),
        { numRuns: 60 },
      );
    }
  });

  test('queries', () => {
    const names = find.method.input.fields.map(({ name }) => name);
    const bit = fc.constantFrom('&', '=', '.', '%', '%C3%A9', '%00', '+', '1', 'true', 'x', '[', '\ud800', ...names);
    const query = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(bit, { maxLength: 30 }).map((bits) => bits.join('')),
    );
    fc.assert(
      fc.property(query, (text) => check(violationsOf(find, text))),
      { numRuns: 1_000 },
    );
  });
});
