import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { SystemEvent } from '../model/system-event.ts';
import type { CompleteOneof } from './complete-oneof.ts';
import { fromWireRole, toWireRole } from './member.ts';
import { fromWireUser, toWireUser } from './user.ts';

type WireEvent = NonNullable<wire.SystemMessage['event']>;

export function toWireSystemEvent(event: SystemEvent): CompleteOneof<WireEvent> {
  switch (event.kind) {
    case 'chat_created':
      return { $case: 'chatCreated', value: {} };
    case 'members_added':
      return { $case: 'membersAdded', value: { users: event.users.map(toWireUser) } };
    case 'member_removed':
      return { $case: 'memberRemoved', value: { user: toWireUser(event.user), banned: event.banned ?? false } };
    case 'member_joined':
      return { $case: 'memberJoined', value: {} };
    case 'member_left':
      return { $case: 'memberLeft', value: {} };
    case 'owner_changed':
      return { $case: 'ownerChanged', value: { user: toWireUser(event.user) } };
    case 'role_changed':
      return { $case: 'roleChanged', value: { user: toWireUser(event.user), role: toWireRole(event.role) } };
    case 'chat_updated':
      return { $case: 'chatUpdated', value: { name: event.name, description: event.description, data: event.data } };
    default:
      return event satisfies never;
  }
}

/** Converts a system event from another node. Throws TypeError for an event or role that only a newer release knows. */
export function fromWireSystemEvent(event: WireEvent | undefined): Complete<SystemEvent> {
  switch (event?.$case) {
    case 'chatCreated':
      return { kind: 'chat_created' };
    case 'membersAdded':
      return { kind: 'members_added', users: event.value.users.map(fromWireUser) };
    case 'memberRemoved': {
      const { user, banned } = event.value;
      return { kind: 'member_removed', user: fromWireUser(user), banned: banned || undefined };
    }
    case 'memberJoined':
      return { kind: 'member_joined' };
    case 'memberLeft':
      return { kind: 'member_left' };
    case 'ownerChanged':
      return { kind: 'owner_changed', user: fromWireUser(event.value.user) };
    case 'roleChanged': {
      const role = fromWireRole(event.value.role);
      if (!role) throw new TypeError('an unknown role');
      return { kind: 'role_changed', user: fromWireUser(event.value.user), role };
    }
    case 'chatUpdated': {
      const { name, description, data } = event.value;
      return { kind: 'chat_updated', name, description, data };
    }
    case undefined:
      throw new TypeError('a system event of an unknown kind');
    default:
      return event satisfies never;
  }
}
