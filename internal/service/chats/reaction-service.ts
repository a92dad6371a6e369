import type { ChangeReceipt } from '../../model/change.ts';
import { ChatError } from '../../model/errors.ts';
import type { Feature } from '../../model/feature.ts';
import type { Page } from '../../model/page.ts';
import type { Principal } from '../../model/principal.ts';
import type { Reaction, ReactionRequest } from '../../model/reaction.ts';
import type { ReactionRepository } from '../../repository/reaction-repository.ts';
import { readerFor, tokenServes } from '../authorization.ts';
import { retryUnwritten, type Unwritten } from '../ingest/retry-unwritten.ts';
import type { ReactionWriter } from '../writing/reaction-writer.ts';
import { toStoredEmoji } from './emoji.ts';

export interface ReactionServiceOptions {
  /** Whether reactions may be short codes of the deployment's own, for example `:party:`. */
  allowShortCodes: boolean;
  /** What may be used: older nodes may not know it. */
  features: ReadonlySet<Feature>;
}

interface Deps {
  reactions: Pick<ReactionRepository, 'list'>;
  writer: ReactionWriter;
  /** Present if messages are accepted before they are written (`INGEST=jetstream`). */
  unwritten?: Unwritten | undefined;
}

/**
 * Reactions to messages. Each method throws the errors of the RPC of the same name in the contract. The roles in the caller's token are checked before;
 * the caller's role in the chat and the message are checked under the chat's lock.
 */
export class ReactionService {
  readonly #deps: Deps;
  readonly #options: ReactionServiceOptions;

  constructor(deps: Deps, options: ReactionServiceOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Resolves with undefined if the message had the reaction already. */
  addReaction(caller: Principal, request: ReactionRequest): Promise<ChangeReceipt | undefined> {
    return this.#append('AddReaction', caller, request);
  }

  /** Resolves with undefined if the message did not have the reaction. */
  removeReaction(caller: Principal, request: ReactionRequest): Promise<ChangeReceipt | undefined> {
    return this.#append('RemoveReaction', caller, request);
  }

  /** Returns who reacted to a message; with `emoji`, who reacted with this one. */
  async listReactions(
    caller: Principal,
    { chatId, messageId, emoji }: { chatId: string; messageId: string; emoji: string },
    limit: number,
    after?: number,
  ): Promise<Page<Reaction, number>> {
    const kind = emoji === '' ? undefined : toStoredEmoji(emoji, true);
    const reader = readerFor('ListReactions', caller);
    return this.#deps.reactions.list({ chatId, messageId, reader }, kind, limit, after);
  }

  async #append(
    operation: 'AddReaction' | 'RemoveReaction',
    caller: Principal,
    request: ReactionRequest,
  ): Promise<ChangeReceipt | undefined> {
    if (!this.#options.features.has('reactions')) {
      throw new ChatError('FEATURE_DISABLED', 'nobody can react before all nodes know reactions (FEATURES_ENABLED)');
    }
    const added = operation === 'AddReaction';
    // What was allowed once can still be removed.
    const emoji = toStoredEmoji(request.emoji, this.#options.allowShortCodes || !added);
    const asService = tokenServes(operation, caller);
    const actor = { id: caller.userId, name: caller.name };
    const draft = { ...request, emoji, added, actor, asService };
    return retryUnwritten(this.#deps.unwritten, request, () => this.#deps.writer.append(draft));
  }
}
