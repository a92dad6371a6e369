import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import { charsOf, type Entry } from '../model/entry.ts';
import type { Event, RemovalReason, SessionLimits } from '../model/event.ts';
import type { EventEncoder } from '../model/event-encoder.ts';
import { Frame } from '../model/frame.ts';
import { toWireChat } from './chat.ts';
import type { CompleteOneof } from './complete-oneof.ts';
import { toWireEntry } from './entry.ts';
import { toWireEphemeralEvent } from './ephemeral-event.ts';
import { toStatus } from './status.ts';
import { toWireUser } from './user.ts';

/**
 * Encodes events as ConnectChatResponse. Each event is one record of the message's only field, so concatenated frames are a valid frame; `Frame.join`
 * relies on that.
 */
export class ProtobufEventEncoder implements EventEncoder {
  encode(event: Event): Frame {
    return encodeAll([event]);
  }

  encodeEntries(entries: readonly Entry[]): readonly Frame[] {
    return cut(entries).map(encodeAll);
  }
}

function encodeAll(events: readonly Event[]): Frame {
  return new Frame(wire.ConnectChatResponse.encode({ events: events.map(toWireEvent) }).finish());
}

/** The most characters of text in one frame. Even at four bytes each that is far below 4 MiB, the default limit of gRPC clients. */
const maxPartChars = 65_536;

/** Cuts entries into parts with at most `maxPartChars` characters of text each. An entry with a longer text becomes a part of its own. */
function cut(entries: readonly Entry[]): (readonly Entry[])[] {
  const parts: (readonly Entry[])[] = [];
  let begin = 0;
  let chars = 0;
  for (const [i, entry] of entries.entries()) {
    const added = charsOf(entry);
    if (i > begin && chars + added > maxPartChars) {
      parts.push(entries.slice(begin, i));
      begin = i;
      chars = 0;
    }
    chars += added;
  }
  if (begin < entries.length) parts.push(begin === 0 ? entries : entries.slice(begin));
  return parts;
}

export function toWireEvent(event: Event): wire.Event {
  return { event: toWire(event) };
}

function toWire(event: Event): CompleteOneof<NonNullable<wire.Event['event']>> {
  switch (event.kind) {
    case 'message':
    case 'message_changed':
    case 'covered':
    case 'reaction':
    case 'message_part':
      return toWireEntry(event);
    case 'accepted': {
      const { commandId, receipt } = event;
      const { messageId = '', seq = 0, createdAt } = receipt ?? {};
      return { $case: 'accepted', value: { commandId, messageId, seq, createdAt } };
    }
    case 'rejected':
      return { $case: 'rejected', value: { commandId: event.commandId, status: toStatus(event.error) } };
    case 'welcome': {
      const { sessionId, user, limits, tokenExpiresAt } = event;
      return {
        $case: 'welcome',
        value: { sessionId, user: toWireUser(user), limits: toWireLimits(limits), tokenExpiresAt },
      };
    }
    case 'subscribed': {
      const { commandId, chatId, headSeq, afterSeq, epoch } = event;
      return { $case: 'subscribed', value: { commandId, chatId, headSeq, afterSeq, epoch } };
    }
    case 'reset': {
      const { chatId, epoch, fromSeq } = event;
      return { $case: 'reset', value: { chatId, epoch, fromSeq } };
    }
    case 'caught_up':
      return { $case: 'caughtUp', value: { chatId: event.chatId, seq: event.seq } };
    case 'chat_added':
      return { $case: 'chatAdded', value: { chat: toWireChat(event.chat) } };
    case 'chat_removed':
      return { $case: 'chatRemoved', value: { chatId: event.chatId, reason: toWireRemovalReason(event.reason) } };
    case 'pong':
      return { $case: 'pong', value: { commandId: event.commandId } };
    case 'closing': {
      const { reason, retryAfterMs } = event;
      return { $case: 'closing', value: { reason: wire.CloseReason[reason], retryAfterMs } };
    }
    case 'typing':
    case 'presence':
    case 'read':
    case 'stop_requested':
    case 'delivered':
      return toWireEphemeralEvent(event);
    default:
      return event satisfies never;
  }
}

function toWireLimits(limits: SessionLimits): Complete<wire.Limits> {
  const { maxTextLength, maxFrameBytes, maxCommandsPerFrame, maxSubscriptions } = limits;
  return { maxTextLength, maxFrameBytes, maxCommandsPerFrame, maxSubscriptions };
}

function toWireRemovalReason(reason: RemovalReason): wire.RemovalReason {
  return reason === 'UNKNOWN' ? wire.RemovalReason.UNSPECIFIED : wire.RemovalReason[reason];
}
