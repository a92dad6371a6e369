import * as bus from '../../pkg/api/bus/v1/bus.ts';
import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { EphemeralEvent } from '../model/ephemeral-event.ts';
import type { ChatRole } from '../model/member.ts';
import type { Message, SystemEvent } from '../model/message.ts';
import type { ChatPublication, UserPublication } from '../model/publication.ts';
import type { User } from '../model/user.ts';
import { toWireMessage, toWireUser } from './chat.ts';

export type Publication = ChatPublication | UserPublication;

/** One publication as it travels from the node of this name to the others. */
export function encodePublication(origin: Uint8Array, publication: Publication): Uint8Array {
  const body = bus.Publication.encode({ publication: toWire(publication) }).finish();
  return bus.Envelope.encode({ origin, publication: body }).finish();
}

/**
 * What `encodePublication` was given; undefined if this very node published it. A message of a kind that only a newer release
 * knows becomes a hint that the chat has come so far. Throws an error if the bytes are damaged.
 */
export function decodePublication(origin: Uint8Array, bytes: Uint8Array): Publication | undefined {
  const envelope = bus.Envelope.decode(bytes);
  if (Buffer.compare(envelope.origin, origin) === 0) return undefined;
  if (envelope.origin.length === 0) throw new TypeError('a publication of nobody');
  return fromWire(bus.Publication.decode(envelope.publication).publication);
}

function toWire(publication: Publication): NonNullable<bus.Publication['publication']> {
  switch (publication.kind) {
    case 'messages':
      return { $case: 'messages', value: { messages: publication.messages.map(toWireMessage) } };
    case 'head':
      return { $case: 'head', value: { seq: publication.seq } };
    case 'deleted':
      return { $case: 'deleted', value: {} };
    case 'ephemeral': {
      const { event, onlyTo } = publication;
      return { $case: 'signal', value: { signal: toWireEphemeralEvent(event), onlyTo } };
    }
    case 'membership_changed':
      return { $case: 'membershipChanged', value: {} };
    default:
      return publication satisfies never;
  }
}

function fromWire(publication: bus.Publication['publication']): Publication {
  switch (publication?.$case) {
    case 'messages':
      return fromWireMessages(publication.value.messages);
    case 'head':
      return { kind: 'head', seq: publication.value.seq };
    case 'deleted':
      return { kind: 'deleted' };
    case 'signal': {
      const { signal, onlyTo } = publication.value;
      return { kind: 'ephemeral', event: fromWireEphemeralEvent(signal), ...(onlyTo !== undefined && { onlyTo }) };
    }
    case 'membershipChanged':
      return { kind: 'membership_changed' };
    case undefined:
      throw new TypeError('a publication of an unknown kind');
    default:
      return publication satisfies never;
  }
}

function fromWireMessages(messages: readonly wire.Message[]): ChatPublication {
  const last = messages.at(-1);
  if (!last) throw new TypeError('a publication of no messages');
  if (messages.some(({ system }) => system && !system.event)) return { kind: 'head', seq: last.updateSeq };
  return { kind: 'messages', messages: messages.map(fromWireMessage) };
}

function fromWireMessage(message: wire.Message): Message {
  const { id, chatId, seq, updateSeq, clientMessageId, text, createdAt, system } = message;
  if (!id || !chatId || !createdAt || seq < 1 || updateSeq < seq) throw new TypeError('a message with gaps');
  return {
    id,
    chatId,
    seq,
    updateSeq,
    sender: fromWireUser(message.sender),
    clientMessageId,
    text,
    createdAt,
    ...(system?.event && { system: fromWireSystemEvent(system.event) }),
  };
}

function fromWireSystemEvent(event: NonNullable<wire.SystemMessage['event']>): SystemEvent {
  switch (event.$case) {
    case 'chatCreated':
      return { kind: 'chat_created' };
    case 'membersAdded':
      return { kind: 'members_added', users: event.value.users.map(fromWireUser) };
    case 'memberRemoved': {
      const { user, banned } = event.value;
      return { kind: 'member_removed', user: fromWireUser(user), ...(banned && { banned }) };
    }
    case 'memberJoined':
      return { kind: 'member_joined' };
    case 'memberLeft':
      return { kind: 'member_left' };
    case 'ownerChanged':
      return { kind: 'owner_changed', user: fromWireUser(event.value.user) };
    case 'roleChanged': {
      const { user, role } = event.value;
      return { kind: 'role_changed', user: fromWireUser(user), role: fromWireRole(role) };
    }
    default:
      return event satisfies never;
  }
}

function toWireEphemeralEvent(event: EphemeralEvent): NonNullable<bus.Signal['signal']> {
  const { chatId } = event;
  switch (event.kind) {
    case 'typing':
      return { $case: 'typing', value: { chatId, user: toWireUser(event.user) } };
    case 'presence':
      return { $case: 'presence', value: { chatId, user: toWireUser(event.user), online: event.online } };
    case 'read':
      return { $case: 'read', value: { chatId, userId: event.userId, seq: event.seq } };
    default:
      return event satisfies never;
  }
}

function fromWireEphemeralEvent(signal: bus.Signal['signal']): EphemeralEvent {
  switch (signal?.$case) {
    case 'typing': {
      const { chatId, user } = signal.value;
      return { kind: 'typing', chatId, user: fromWireUser(user) };
    }
    case 'presence': {
      const { chatId, user, online } = signal.value;
      return { kind: 'presence', chatId, user: fromWireUser(user), online };
    }
    case 'read': {
      const { chatId, userId, seq } = signal.value;
      return { kind: 'read', chatId, userId, seq };
    }
    case undefined:
      throw new TypeError('an ephemeral event of an unknown kind');
    default:
      return signal satisfies never;
  }
}

function fromWireUser(user: wire.User | undefined): User {
  if (!user) throw new TypeError('nobody where somebody is meant');
  return { id: user.id, name: user.name };
}

function fromWireRole(role: wire.ChatRole): ChatRole {
  switch (role) {
    case wire.ChatRole.READER:
      return 'READER';
    case wire.ChatRole.MEMBER:
      return 'MEMBER';
    case wire.ChatRole.ADMIN:
      return 'ADMIN';
    case wire.ChatRole.OWNER:
      return 'OWNER';
    case wire.ChatRole.UNSPECIFIED:
      throw new TypeError('a role of an unknown kind');
    default:
      return role satisfies never;
  }
}
