import type {
  AddReactionRequest,
  ChatServiceImplementation,
  RemoveReactionRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { normalizeId } from '../../../converter/command.ts';
import { fromPageToken, isNumber, toPageToken } from '../../../converter/page-token.ts';
import { fromWireReaction, toWireReaction } from '../../../converter/reaction.ts';
import type { Receipt } from '../../../model/message.ts';
import type { ReactionService } from '../../../service/chats/reaction-service.ts';
import type { CommandContext, OperationTable } from './operation.ts';

type Reactions = 'addReaction' | 'removeReaction' | 'listReactions';

interface Services {
  reactions: ReactionService;
}

async function addReaction(
  { reactions }: Services,
  request: AddReactionRequest,
  { caller }: CommandContext,
): Promise<Receipt | undefined> {
  const receipt = await reactions.addReaction(caller, fromWireReaction(request));
  return receipt && { messageId: request.messageId, ...receipt };
}

async function removeReaction(
  { reactions }: Services,
  request: RemoveReactionRequest,
  { caller }: CommandContext,
): Promise<Receipt | undefined> {
  const receipt = await reactions.removeReaction(caller, fromWireReaction(request));
  return receipt && { messageId: request.messageId, ...receipt };
}

/** The operations of chat.v1.ChatService on reactions. */
export const reactionOperations = {
  addReaction: {
    run: async (services, request, context) => (await addReaction(services, request, context)) ?? {},
    inStream: addReaction,
  },

  removeReaction: {
    run: async (services, request, context) => (await removeReaction(services, request, context)) ?? {},
    inStream: removeReaction,
  },

  listReactions: {
    run: async ({ reactions }, { chatId, messageId, emoji, pageSize, pageToken }, { caller, limit }) => {
      const of = { chatId: normalizeId(chatId), messageId, emoji };
      const page = await reactions.listReactions(caller, of, limit(pageSize), fromPageToken(pageToken, isNumber));
      return { reactions: page.items.map(toWireReaction), nextPageToken: toPageToken(page.next) };
    },
  },
} satisfies OperationTable<Pick<ChatServiceImplementation, Reactions>, Services>;
