import { hash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestOfChange, digestOfMessage, digestOfUpdate } from './digests.ts';

test('what an older version could digest has the same digest for ever', () => {
  const old = (content: string) => hash('sha256', content, 'buffer').subarray(0, 16);
  expect(digestOfMessage({ text: 'hello' })).toEqual(old('hello'));
  expect(digestOfMessage({ text: 'hello', data: { b: 1, a: 2 } })).toEqual(
    Buffer.concat([Buffer.of(2), old('["hello",{"a":2,"b":1}]')]),
  );
  expect(digestOfMessage({ text: 'hello', type: 'a', replyToId: 'id' })).toEqual(
    Buffer.concat([Buffer.of(3), old('{"reply_to_id":"id","text":"hello","type":"a"}')]),
  );
  const of = (change: Parameters<typeof digestOfChange>[0]['change']) => digestOfChange({ messageId: 'id', change });
  expect(of({ kind: 'edited', text: 'hello' })).toEqual(old('["edited","id","hello"]'));
  expect(of({ kind: 'deleted', hide: true, reason: 'x' })).toEqual(old('["deleted","id",true]'));
  expect(digestOfUpdate({ name: 'a' })).toEqual(old('["chat_updated","a",null,null]'));
});

test('digests of messages depend on every optional field', () => {
  const options = { data: { a: 1 }, type: 'a', silent: true, replyToId: 'a', rootId: 'a' } as const;
  const names = Object.keys(options) as (keyof typeof options)[];
  const subsets = names.reduce<object[]>(
    (sets, name) => sets.flatMap((set) => [set, { ...set, [name]: options[name] }]),
    [{}],
  );
  const digests = subsets.map((set) => digestOfMessage({ text: 'a', ...set }).toString('hex'));
  expect(new Set(digests).size).toBe(2 ** names.length);
});

test('digests of messages and edits depend on text and data', () => {
  const contents = [
    { text: 'a' },
    { text: '["a",{"b":1}]' },
    { text: 'a', data: {} },
    { text: 'a', data: { b: 1 } },
    { text: 'a', data: { b: '1' } },
    { text: 'b', data: { b: 1 } },
  ];
  const digests = contents.flatMap((content) => [
    digestOfMessage(content),
    digestOfChange({ messageId: 'id', change: { kind: 'edited', ...content } }),
  ]);
  expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(digests.length);
});

test('the digest of an update does not depend on the order of keys, but on every value and on which fields are set', () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, shuffled(item)]),
    );
  };
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      expect(digestOfUpdate({ data: shuffled(data) as typeof data })).toEqual(digestOfUpdate({ data }));
    }),
  );
  const fields = [
    {},
    { name: '' },
    { description: '' },
    { data: {} },
    { data: { a: 1 } },
    { data: { a: '1' } },
    { name: 'a' },
  ];
  expect(new Set(fields.map((one) => digestOfUpdate(one).toString('hex'))).size).toBe(fields.length);
});
