import { type DescMessage, fromBinary, type Message, toBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { arbitraryMessage } from './testing/arbitrary-message.ts';
import { kindsProto } from './testing/kinds.ts';
import { decode, startTranscoding, type Transcoding } from './testing/transcoding.ts';
import type { Route } from './transcoder.ts';

let kinds: Transcoding;
let put: Route;
let find: Route;
let all: DescMessage;
beforeAll(async () => {
  kinds = await startTranscoding(kindsProto, 'Kinds');
  [put, find] = kinds.transcoder.routes as [Route, Route];
  all = put.method.input;
});

const none = new Map<string, string>();

/** What a message's bytes say, to be compared. */
function shown(bytes: Uint8Array | string[]): unknown {
  return Array.isArray(bytes) ? bytes : toJson(all, fromBinary(all, bytes), { registry: kinds.registry });
}

test('a message that is written as an answer is read back from a body as it was', () => {
  fc.assert(
    fc.property(arbitraryMessage(all), (message) => {
      const bytes = toBinary(all, message);
      const body = kinds.transcoder.encodeResponse(put, bytes);
      const back = decode(kinds.transcoder, put, none, '', body);
      expect(shown(back)).toEqual(shown(bytes));
      expect(Buffer.from(back as Uint8Array)).toEqual(Buffer.from(bytes));
    }),
    { numRuns: 300 },
  );
});

test('the names of the .proto file are read just as well', () => {
  fc.assert(
    fc.property(arbitraryMessage(all), (message) => {
      const bytes = toBinary(all, message);
      const body = JSON.stringify(toJson(all, message, { registry: kinds.registry, useProtoFieldName: true }));
      expect(shown(decode(kinds.transcoder, put, none, '', body))).toEqual(shown(bytes));
    }),
  );
});

/** The parameters of JSON, as a client would make them. */
function parametersOf(json: object, prefix = ''): [string, string][] {
  return Object.entries(json).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'object' && !Array.isArray(value)) return parametersOf(value, `${prefix}${name}.`);
    return [value].flat().map((item) => [prefix + name, String(item)]);
  });
}

test('a message that fits a query is read back from one, in either spelling', () => {
  const unfit = /^(?:m_|w_struct|w_value|w_list|w_any|w_empty|r_one|r_value|c_null)/;
  const fits = (message: Message): boolean =>
    Object.entries(toJson(all, message, { registry: kinds.registry, useProtoFieldName: true }) as object).every(
      ([name, value]) =>
        !unfit.test(name) && (name !== 'f_all' || Object.keys(value).every((each) => !unfit.test(each))),
    );
  const arbitrary = arbitraryMessage({ ...all, fields: all.fields.filter(({ name }) => !unfit.test(name)) }, 1);
  fc.assert(
    fc.property(arbitrary, fc.boolean(), (message, useProtoFieldName) => {
      fc.pre(fits(message));
      const json = toJson(all, message, { registry: kinds.registry, useProtoFieldName }) as object;
      const query = new URLSearchParams(parametersOf(json)).toString();
      const back = decode(kinds.transcoder, find, none, query, undefined);
      expect(shown(back)).toEqual(withoutEmpty(shown(toBinary(all, message))));
    }),
    { numRuns: 300 },
  );
});

/** A list or message without anything in it cannot be told in a query. */
function withoutEmpty(json: unknown): unknown {
  return Object.fromEntries(
    Object.entries(json as object).filter(
      ([, value]) => typeof value !== 'object' || parametersOf({ value }).length > 0,
    ),
  );
}
