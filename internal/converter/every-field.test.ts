import { describe, expect, test } from 'vitest';
import * as bus from '../../pkg/api/bus/v1/bus.ts';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import * as ingest from '../../pkg/api/ingest/v1/ingest.ts';
import { decodeAccepted, encodeAccepted } from '../client/ingest/accepted-message-codec.ts';
import { seqOf } from '../model/entry.ts';
import { altered, lostFields } from '../testing/fields/changed-fields.ts';
import { descriptorOf, filledJson, type JsonObject, unsetFields } from '../testing/fields/filled-json.ts';
import * as sample from '../testing/fields/one-of-each.ts';
import { toWireAuditEvent } from './audit-event.ts';
import { toWireBan } from './ban.ts';
import { toWireChat } from './chat.ts';
import { fromWireCommand, fromWireDraft, type StreamCommand } from './command.ts';
import { fromWireEntry } from './entry.ts';
import { toWireEvent } from './event.ts';
import { toWireMember } from './member.ts';
import { fromWireMessage, toWireMessage } from './message.ts';
import { fromWirePublication, toWirePublication } from './publication.ts';

/** The part of a generated message type that these tests use. */
interface MessageType<T> {
  fromJSON(json: unknown): T;
  toJSON(message: T): unknown;
}

/** Returns a test that filled messages of a type are unchanged after conversion to the model and back. */
function roundTrip<T>(typeName: string, type: MessageType<T>, thereAndBack: (message: T) => T): [string, () => void] {
  const run = () => {
    for (const json of filledJson(typeName)) {
      const message = type.fromJSON(json);
      expect(type.toJSON(thereAndBack(message))).toEqual(type.toJSON(message));
    }
  };
  return [typeName, run];
}

function lastNumber({ entries }: bus.Entries): number {
  return seqOf(fromWireEntry(entries.at(-1)!.change!));
}

const { AcceptedMessage } = ingest;

describe('no field of the contract is lost', () => {
  test.each([
    roundTrip('chat.v1.Message', wire.Message, (message) => toWireMessage(fromWireMessage(message))),
    roundTrip('bus.v1.Publication', bus.Publication, ({ publication }) => {
      // It repeats the number of the last entry, for nodes that do not know the entry.
      if (publication?.$case === 'entries') publication.value.lastSeq = lastNumber(publication.value);
      return { publication: toWirePublication(fromWirePublication(publication)) };
    }),
    roundTrip('ingest.v1.AcceptedMessage', AcceptedMessage, (message) =>
      AcceptedMessage.decode(encodeAccepted(decodeAccepted(AcceptedMessage.encode(message).finish())!)),
    ),
  ])('on its way from the wire to the model and back: %s', (_, run) => run());

  const streamCommands: Record<StreamCommand['$case'], true> = {
    subscribe: true,
    subscribeAll: true,
    unsubscribe: true,
    authenticate: true,
    ping: true,
  };

  test('on its way from the wire to the model: chat.v1.Command', () => {
    const convert = (json: JsonObject) => {
      const { commandId, command } = wire.Command.fromJSON(json);
      return fromWireCommand(commandId, command as StreamCommand);
    };
    const [values, others] = [filledJson('chat.v1.Command'), filledJson('chat.v1.Command', 'second')];
    const lost = values.flatMap((value, i) =>
      Object.keys(value).some((name) => name in streamCommands) ? lostFields(value, others[i]!, convert) : [],
    );
    // The values are filled with a different key in each map, so no cursor here has an epoch. command.test.ts looks at epochs of cursors.
    expect(lost).toEqual(['subscribeAll.epochs']);
  });

  test('on its way from the wire to the model: chat.v1.SendMessageRequest', () => {
    const [[value], [other]] = [
      filledJson('chat.v1.SendMessageRequest'),
      filledJson('chat.v1.SendMessageRequest', 'second'),
    ];
    const convert = (json: JsonObject) => fromWireDraft(wire.SendMessageRequest.fromJSON(json));
    expect(lostFields(value!, other!, convert)).toEqual([]);
  });
});

/** Finds the wire fields that filled objects of the model leave unset, and the model's fields that do not reach the wire. */
function fromModel<T, W>(typeName: string, type: MessageType<W>, convert: (value: T) => W, values: readonly T[]) {
  const toJson = (value: T) => type.toJSON(convert(value)) as JsonObject;
  return {
    typeName,
    unset: () => new Set(values.flatMap((value) => unsetFields(descriptorOf(typeName), toJson(value)))),
    lost: () => new Set(values.flatMap((value) => lostFields(value, altered(value), toJson))),
  };
}

describe.each([
  fromModel('chat.v1.Message', wire.Message, toWireMessage, sample.filledMessages),
  fromModel('chat.v1.Chat', wire.Chat, toWireChat, [sample.chat]),
  fromModel('chat.v1.Member', wire.Member, toWireMember, [sample.member]),
  fromModel('chat.v1.Ban', wire.Ban, toWireBan, [sample.ban]),
  fromModel('chat.v1.AuditEvent', wire.AuditEvent, toWireAuditEvent, [sample.auditEvent]),
  fromModel('chat.v1.Event', wire.Event, toWireEvent, Object.values(sample.events)),
])('on the way from the model to the wire: $typeName', ({ unset, lost }) => {
  test('every field of the contract is set', () => {
    expect(unset()).toEqual(new Set());
  });

  test('no field of the model is lost', () => {
    expect(lost()).toEqual(new Set());
  });
});

test('every kind of event of the contract is sent', () => {
  const kinds = Object.values(sample.events).map((event) => toWireEvent(event).event?.$case);
  const [oneof] = descriptorOf('chat.v1.Event').oneofs;
  expect(kinds.sort()).toEqual(oneof!.fields.map(({ jsonName }) => jsonName).sort());
});

describe('no field of the model is lost on its way to another node', () => {
  test.each(sample.filledMessages)('a message with a system event: $system.kind', (message) => {
    expect(fromWireMessage(toWireMessage(message))).toEqual(message);
  });

  test.each(sample.chatPublications)('a publication: $kind', (publication) => {
    expect(fromWirePublication(toWirePublication(publication))).toEqual(publication);
  });

  test('an accepted message', () => {
    expect(decodeAccepted(encodeAccepted(sample.acceptedMessage), sample.acceptedMessage.trace)).toEqual(
      sample.acceptedMessage,
    );
  });
});
