import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Command, ConnectChatResponse } from '../api/chat/v1/chat.ts';
import { BadInput } from './bad-input.ts';
import { MessageJson, parseJson } from './message-json.ts';

const descriptors = readFileSync(new URL('../api/descriptors.binpb', import.meta.url));
const commandJson = new MessageJson(descriptors, 'chat.v1.Command');
const responseJson = new MessageJson(descriptors, 'chat.v1.ConnectChatResponse');

function read(text: string): Command {
  const { value, numbers } = parseJson(text);
  return Command.decode(commandJson.read(value, numbers));
}

function faults(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof BadInput) return error.violations.map(({ field }) => field);
    throw error;
  }
  return expect.unreachable('it was read');
}

test('a type that does not exist is told at once', () => {
  expect(() => new MessageJson(descriptors, 'chat.v1.Nothing')).toThrow('there is no message chat.v1.Nothing');
});

describe('reading', () => {
  test('takes names in both forms, and 64-bit numbers as strings or exactly as they stand', () => {
    const subscribe = { $case: 'subscribe', value: { chatId: 'a', afterSeq: 2 ** 53 - 1 } };
    for (const text of [
      '{"commandId":"x","subscribe":{"chatId":"a","afterSeq":"9007199254740991"}}',
      '{"command_id":"x","subscribe":{"chat_id":"a","after_seq":9007199254740991}}',
    ]) {
      expect(read(text)).toEqual({ commandId: 'x', command: subscribe });
    }
  });

  test('does not round: a number that JavaScript cannot hold arrives as it was written', () => {
    const { value, numbers } = parseJson('{"subscribe":{"chatId":"a","afterSeq":9007199254740993}}');
    const asString = parseJson('{"subscribe":{"chatId":"a","afterSeq":"9007199254740993"}}').value;
    expect(commandJson.read(value, numbers)).toEqual(commandJson.read(asString, undefined));
  });

  test('names every field at fault', () => {
    expect(faults('{"sendMessage":{"chatId":5,"text":null,"clientMessageId":{}},"oops":1}')).toEqual(
      expect.arrayContaining(['send_message.chat_id', 'send_message.client_message_id', 'oops']),
    );
    expect(faults('{"ping":{},"typing":{}}').length).toBeGreaterThan(0);
    expect(faults('{"subscribe":{"afterSeq":"1.5"}}')).toEqual(['subscribe.after_seq']);
  });

  test('refuses text that is no sound JSON, as a whole', () => {
    const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
    for (const text of ['', '{', 'nonsense', '{"a":1,"a":2}', '{"ping":{"a":{"b":1,"b":1}}}', deep]) {
      expect(() => parseJson(text)).toThrow(BadInput);
    }
  });

  test('never fails in another way', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          commandJson.read(value, undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(BadInput);
        }
      }),
    );
  });
});

describe('writing', () => {
  test('gives what can be read again, with unset messages as null and 64-bit numbers as strings', () => {
    const pong = { event: { $case: 'pong', value: { commandId: 'a' } } } as const;
    const caughtUp = { event: { $case: 'caughtUp', value: { chatId: 'c', seq: 2 ** 53 - 1 } } } as const;
    const accepted = { commandId: 'b', messageId: '', seq: 0, createdAt: undefined };
    const events = [pong, caughtUp, { event: { $case: 'accepted', value: accepted } } as const];
    const json = responseJson.write(ConnectChatResponse.encode({ events }).finish());
    expect(json).toEqual({
      events: [
        { pong: { commandId: 'a' } },
        { caughtUp: { chatId: 'c', seq: '9007199254740991' } },
        { accepted: { commandId: 'b', messageId: '', seq: '0', createdAt: null } },
      ],
    });
    expect(ConnectChatResponse.fromJSON(json)).toEqual({ events });
  });

  test('refuses bytes that are no message of the type', () => {
    expect(() => responseJson.write(Uint8Array.of(0x0a, 0x7f))).toThrow(Error);
  });
});
