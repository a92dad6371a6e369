import type { FollowedThread, ThreadPage } from '../../model/message-page.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { EpochRepository } from '../../repository/epoch-repository.ts';
import type { HistoryRange } from '../../repository/message-repository.ts';
import type { FollowedKey, ThreadMark, ThreadOfReader, ThreadRepository } from '../../repository/thread-repository.ts';
import { readerFor } from '../authorization.ts';
import { inOneEpoch } from '../delivery/start.ts';

/** A thread, named by its first message or any other of its messages. */
export interface ThreadRequest {
  chatId: string;
  messageId: string;
}

interface Deps {
  threads: ThreadRepository;
  epochs: EpochRepository;
}

/**
 * Threads and following. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's token are checked before;
 * the caller's membership is checked in the statement that reads or writes.
 */
export class ThreadService {
  readonly #threads: ThreadRepository;
  readonly #epochs: EpochRepository;

  constructor({ threads, epochs }: Deps) {
    this.#threads = threads;
    this.#epochs = epochs;
  }

  /** Returns a page with the epoch of its numbers. */
  listThread(
    caller: Principal,
    request: ThreadRequest,
    range: HistoryRange,
    limit: number,
  ): Promise<ThreadPage & { epoch: string }> {
    return inOneEpoch(this.#epochs, async (epoch) => ({
      ...(await this.#threads.list(threadOf('ListThread', caller, request), range, limit)),
      epoch,
    }));
  }

  followThread(caller: Principal, request: ThreadRequest): Promise<void> {
    return this.#threads.follow(threadOf('FollowThread', caller, request));
  }

  unfollowThread(caller: Principal, request: ThreadRequest): Promise<void> {
    return this.#threads.unfollow(threadOf('UnfollowThread', caller, request));
  }

  markThreadRead(caller: Principal, request: ThreadRequest, seq: number): Promise<ThreadMark> {
    return this.#threads.markRead(threadOf('MarkThreadRead', caller, request), seq);
  }

  listThreads(
    caller: Principal,
    chatId: string | undefined,
    limit: number,
    after?: FollowedKey,
  ): Promise<Page<FollowedThread, FollowedKey>> {
    return this.#threads.listFollowed(caller.userId, chatId, limit, after);
  }
}

function threadOf(
  operation: 'ListThread' | 'FollowThread' | 'UnfollowThread' | 'MarkThreadRead',
  caller: Principal,
  { chatId, messageId }: ThreadRequest,
): ThreadOfReader {
  return { chatId, messageId, reader: readerFor(operation, caller) };
}
