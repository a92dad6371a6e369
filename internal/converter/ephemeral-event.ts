import type * as bus from '../../pkg/api/bus/v1/bus.ts';
import type { Complete } from '../model/complete.ts';
import type { EphemeralEvent } from '../model/ephemeral-event.ts';
import type { CompleteOneof } from './complete-oneof.ts';
import { fromWireUser, toWireUser } from './user.ts';

type WireEvent = NonNullable<bus.Signal['signal']>;

/** Converts an event to its wire form, which is the same for clients and for other nodes. */
export function toWireEphemeralEvent(event: EphemeralEvent): CompleteOneof<WireEvent> {
  const { chatId } = event;
  switch (event.kind) {
    case 'typing':
      return { $case: 'typing', value: { chatId, user: toWireUser(event.user) } };
    case 'presence':
      return { $case: 'presence', value: { chatId, user: toWireUser(event.user), online: event.online } };
    case 'read':
      return { $case: 'read', value: { chatId, userId: event.userId, seq: event.seq, generation: event.generation } };
    case 'delivered':
      return { $case: 'delivered', value: { chatId, userId: event.userId, seq: event.seq } };
    case 'stop_requested':
      return { $case: 'stopRequested', value: { chatId, messageId: event.messageId, user: toWireUser(event.user) } };
    default:
      return event satisfies never;
  }
}

/** Converts an event from another node. Throws TypeError for an event of a newer release. */
export function fromWireEphemeralEvent(event: WireEvent | undefined): Complete<EphemeralEvent> {
  switch (event?.$case) {
    case 'typing': {
      const { chatId, user } = event.value;
      return { kind: 'typing', chatId, user: fromWireUser(user) };
    }
    case 'presence': {
      const { chatId, user, online } = event.value;
      return { kind: 'presence', chatId, user: fromWireUser(user), online };
    }
    case 'read': {
      const { chatId, userId, seq, generation } = event.value;
      return { kind: 'read', chatId, userId, seq, generation };
    }
    case 'delivered': {
      const { chatId, userId, seq } = event.value;
      return { kind: 'delivered', chatId, userId, seq };
    }
    case 'stopRequested': {
      const { chatId, messageId, user } = event.value;
      return { kind: 'stop_requested', chatId, messageId, user: fromWireUser(user) };
    }
    case undefined:
      throw new TypeError('an ephemeral event of an unknown kind');
    default:
      return event satisfies never;
  }
}
