import type { Cursor, StartFrom } from '../../model/command.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { MembershipSnapshot } from '../../repository/membership-repository.ts';
import type { Hub, TopicHandle } from './hub.ts';

/** Where delivery of a chat starts. */
export interface Start {
  afterSeq: number;
  /** The epoch of the client's cursor, if it is not the present one. */
  fromEpoch?: string;
}

/** More epochs that begin during one subscription than a database in order ever has. */
const maxEpochs = 5;

/**
 * Reads memberships and cursors with `read`, and acquires the topics of the chats that it names. The numbers of two epochs must not be compared: if one
 * begins meanwhile, all is read again. Await nothing between this and the start of delivery. `read` is given the epoch. Throws what `read` throws,
 * and UNAVAILABLE (STORAGE_UNAVAILABLE).
 */
export async function readInOneEpoch<T extends { chatIds: readonly string[] }>(
  { epochs, hub }: { epochs: EpochRepository; hub: Hub },
  read: (epoch: string) => Promise<T>,
): Promise<T & { handles: Map<string, TopicHandle> }> {
  for (let attempt = 0; attempt < maxEpochs; attempt += 1) {
    const { current } = epochs;
    const found = await read(current);
    const handles = await hub.acquire(found.chatIds);
    const isPresent = [...handles.values()].every(({ topic }) => topic.epoch === current);
    if (isPresent && epochs.current === current) return { ...found, handles };
    for (const handle of handles.values()) handle.release();
    // It leads topics of an earlier epoch to the present one.
    await hub.repair();
  }
  throw wentBack();
}

function wentBack(): ChatError {
  return new ChatError('STORAGE_UNAVAILABLE', 'the database went back during the call', { retryAfterMs: 1_000 });
}

/** Calls `read` with the present epoch, and again if another one has begun meanwhile. Throws what `read` throws, and UNAVAILABLE (STORAGE_UNAVAILABLE). */
export async function inOneEpoch<T>(epochs: EpochRepository, read: (epoch: string) => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < maxEpochs; attempt += 1) {
    const { current } = epochs;
    const found = await read(current);
    if (epochs.current === current) return found;
  }
  throw wentBack();
}

/** Returns where delivery after these cursors starts in the epoch `current`. Throws UNAVAILABLE (STORAGE_UNAVAILABLE). */
export async function findStarts(
  epochs: EpochRepository,
  current: string,
  cursors: ReadonlyMap<string, Cursor>,
): Promise<Map<string, Start>> {
  const isPresent = ({ epoch }: Cursor) => epoch === '' || epoch === current;
  const older = [...cursors].filter(([, cursor]) => !isPresent(cursor));
  const valid = await epochs.findValid(new Map(older.map(([chatId, { epoch }]) => [chatId, epoch])));
  return new Map(
    [...cursors].map(([chatId, cursor]) => {
      const { seq, epoch } = cursor;
      if (isPresent(cursor)) return [chatId, { afterSeq: seq }];
      return [chatId, { afterSeq: Math.min(seq, valid.get(chatId) ?? seq), fromEpoch: epoch }];
    }),
  );
}

/** Returns the number after which a member without a cursor starts. */
export function startOf({ lastSeq, joinedSeq }: MembershipSnapshot, from: StartFrom): number {
  switch (from) {
    case 'NOW':
      return lastSeq;
    case 'JOINED':
      return joinedSeq - 1;
    case 'BEGINNING':
      return 0;
    default:
      return from satisfies never;
  }
}

export function cursorsInFuture(cursors: { field: string; lastSeq: number }[]): ChatError {
  const violations = cursors.map(({ field, lastSeq }) => ({
    field,
    description: `must be at most ${lastSeq}, the chat's last number`,
  }));
  return new ChatError('CURSOR_IN_FUTURE', invalidFieldsError(...violations).message, { violations });
}
