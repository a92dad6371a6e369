import type { Entry } from './entry.ts';
import type { EphemeralEvent } from './ephemeral-event.ts';
import type { TraceContext } from './trace-context.ts';

/** A publication about a chat, for the nodes with readers of it. */
export type ChatPublication =
  /** What has just happened in the chat, one or more entries in the order of their numbers. A subscriber may miss a publication or get it late. */
  | {
      kind: 'entries';
      entries: readonly Entry[];
      /** The epoch in which they were committed, or an earlier one. In another epoch the numbers may belong to other entries. `EpochBus` adds it. */
      epoch?: string;
      /** The spans that the entries come from. Empty: none is recorded. `TracedBus` puts its own in their place. */
      traces?: readonly TraceContext[];
    }
  /** The chat's last number is at least `seq`. Subscribers read entries that they lack from the repository. */
  | { kind: 'head'; seq: number }
  /** The chat was deleted. */
  | { kind: 'deleted' }
  /** An event for live readers; with `onlyTo`, only for those of this user. */
  | { kind: 'ephemeral'; event: EphemeralEvent; onlyTo?: string };

/** A publication about a user, for the nodes with sessions of that user: a membership began or ended, read it from the repository. */
export type UserPublication = { kind: 'membership_changed' };
