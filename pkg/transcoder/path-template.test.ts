import { expect, test } from 'vitest';
import { parsePathTemplate } from './path-template.ts';

const any = { kind: 'any' };
const literal = (text: string) => ({ kind: 'literal', text });

test('literals, variables, patterns and a verb are told apart', () => {
  expect(parsePathTemplate('/v1/{name=shelves/*}/books/{book_id}:verb')).toEqual({
    source: '/v1/{name=shelves/*}/books/{book_id}:verb',
    segments: [literal('v1'), literal('shelves'), any, literal('books'), any],
    variables: [
      { fieldPath: 'name', start: 1, end: 3, multiSegment: true },
      { fieldPath: 'book_id', start: 4, end: 5, multiSegment: false },
    ],
    verb: 'verb',
  });
});

test('a variable is a field of a field, takes one segment unless it says otherwise, and ** takes all', () => {
  expect(parsePathTemplate('/v1/{a.b.c}/{d=*}/{e=x}/{f=y/**}')).toMatchObject({
    segments: [literal('v1'), any, any, literal('x'), literal('y'), { kind: 'rest' }],
    variables: [
      { fieldPath: 'a.b.c', start: 1, end: 2, multiSegment: false },
      { fieldPath: 'd', start: 2, end: 3, multiSegment: false },
      { fieldPath: 'e', start: 3, end: 4, multiSegment: false },
      { fieldPath: 'f', start: 4, end: 6, multiSegment: true },
    ],
    verb: '',
  });
  expect(parsePathTemplate('/v1/{all=**}').variables).toMatchObject([{ multiSegment: true }]);
});

test('wildcards need no field, and literals stand decoded', () => {
  expect(parsePathTemplate('/a%3Ab/*/.well-known/**:c%20d')).toMatchObject({
    segments: [literal('a:b'), any, literal('.well-known'), { kind: 'rest' }],
    variables: [],
    verb: 'c d',
  });
});

test.each([
  ['', 'start with "/"'],
  ['v1', 'start with "/"'],
  ['/', 'is empty'],
  ['/a/', 'is empty'],
  ['/a//b', 'is empty'],
  ['/a:', 'is empty'],
  ['/{a=}', 'is empty'],
  ['/{a=x/}', 'is empty'],
  ['/a:b:c', 'no literal'],
  ['/a b', 'no literal'],
  ['/é', 'no literal'],
  ['/a%2', 'no literal'],
  ['/a?b', 'no literal'],
  ['/a*', 'no literal'],
  ['/***', 'no literal'],
  ['/a:b/c', 'no literal'],
  ['/{a', 'no variable'],
  ['/a}/b', 'no variable'],
  ['/{}', 'no variable'],
  ['/{a}b', 'no variable'],
  ['/b{a}', 'no variable'],
  ['/{a}{b}', 'no variable'],
  ['/{1a}', 'no variable'],
  ['/{a.}', 'no variable'],
  ['/{a..b}', 'no variable'],
  ['/{a={b}}', 'no variable'],
  ['/{a=x=y}', 'no literal'],
  ['/{a}/{a}', 'a is bound twice'],
  ['/**/a', '"**" must be the last'],
  ['/{a=**}/b', '"**" must be the last'],
  ['/{a=**/b}', '"**" must be the last'],
])('%s is no template', (source, fault) => {
  expect(() => parsePathTemplate(source)).toThrow(`path template ${JSON.stringify(source)}: `);
  expect(() => parsePathTemplate(source)).toThrow(fault);
});
