import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Event } from '../model/event.ts';
import type { Message } from '../model/message.ts';
import type { EventEncoder } from '../service/event-encoder.ts';
import { toWireChat, toWireMessage, toWireUser } from './chat.ts';
import { toStatus } from './status.ts';

/** Events as records of field 1 of ConnectChatResponse: joined they are a frame. */
export class ProtobufEventEncoder implements EventEncoder {
  /** The newest array is enough: a topic hands it to all its readers in one go. */
  #last: { messages?: readonly Message[]; bytes: Uint8Array } = { bytes: new Uint8Array() };

  encode(event: Event): Uint8Array {
    return wire.ConnectChatResponse.encode({ events: [toWireEvent(event)] }).finish();
  }

  encodeMessages(messages: readonly Message[]): Uint8Array {
    if (this.#last.messages !== messages) {
      const events = messages.map((message) => toWireEvent({ kind: 'message', message }));
      this.#last = { messages, bytes: wire.ConnectChatResponse.encode({ events }).finish() };
    }
    return this.#last.bytes;
  }
}

export function toWireEvent(event: Event): wire.Event {
  return { event: toWire(event) };
}

function toWire(event: Event): NonNullable<wire.Event['event']> {
  switch (event.kind) {
    case 'message':
      return { $case: 'message', value: toWireMessage(event.message) };
    case 'accepted': {
      const { commandId, receipt } = event;
      const { messageId = '', seq = 0, createdAt } = receipt ?? {};
      return { $case: 'accepted', value: { commandId, messageId, seq, createdAt } };
    }
    case 'rejected':
      return { $case: 'rejected', value: { commandId: event.commandId, status: toStatus(event.error) } };
    case 'welcome': {
      const { sessionId, user, limits, tokenExpiresAt } = event;
      return { $case: 'welcome', value: { sessionId, user: toWireUser(user), limits, tokenExpiresAt } };
    }
    case 'subscribed': {
      const { commandId, chatId, headSeq, afterSeq } = event;
      return { $case: 'subscribed', value: { commandId, chatId, headSeq, afterSeq } };
    }
    case 'caught_up':
      return { $case: 'caughtUp', value: { chatId: event.chatId, seq: event.seq } };
    case 'chat_added':
      return { $case: 'chatAdded', value: { chat: toWireChat(event.chat) } };
    case 'chat_removed': {
      const reason = event.reason === 'UNKNOWN' ? wire.RemovalReason.UNSPECIFIED : wire.RemovalReason[event.reason];
      return { $case: 'chatRemoved', value: { chatId: event.chatId, reason } };
    }
    case 'pong':
      return { $case: 'pong', value: { commandId: event.commandId } };
    case 'closing': {
      const { reason, retryAfterMs } = event;
      return { $case: 'closing', value: { reason: wire.CloseReason[reason], retryAfterMs } };
    }
    default:
      return event satisfies never;
  }
}
