import type {
  ChatServiceImplementation,
  DeleteMessageRequest,
  EditMessageRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { fromWireDeletion, fromWireEdit, normalizeId } from '../../../converter/command.ts';
import { toWireEntry } from '../../../converter/entry.ts';
import { toWireMessage } from '../../../converter/message.ts';
import { fromPageToken, isNumber, toPageToken } from '../../../converter/page-token.ts';
import type { Receipt } from '../../../model/message.ts';
import type { ChangeService } from '../../../service/chats/change-service.ts';
import type { CommandContext, OperationTable } from './operation.ts';

type Changes = 'editMessage' | 'deleteMessage' | 'listMessageVersions' | 'listChanges';

interface Services {
  changes: ChangeService;
}

async function editMessage(
  { changes }: Services,
  request: EditMessageRequest,
  { caller }: CommandContext,
): Promise<Receipt> {
  return { messageId: request.messageId, ...(await changes.editMessage(caller, fromWireEdit(request))) };
}

async function deleteMessage(
  { changes }: Services,
  request: DeleteMessageRequest,
  { caller }: CommandContext,
): Promise<Receipt> {
  return { messageId: request.messageId, ...(await changes.deleteMessage(caller, fromWireDeletion(request))) };
}

/** The operations of chat.v1.ChatService on messages that were sent before. */
export const changeOperations = {
  editMessage: { run: editMessage, inStream: editMessage },

  deleteMessage: { run: deleteMessage, inStream: deleteMessage },

  listMessageVersions: {
    run: async ({ changes }, { chatId, messageId, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isNumber);
      const page = await changes.listMessageVersions(caller, normalizeId(chatId), messageId, limit(pageSize), after);
      return { versions: page.items, nextPageToken: toPageToken(page.next) };
    },
  },

  listChanges: {
    run: async ({ changes }, { chatId, afterSeq, epoch = '', pageSize }, { caller, limit }) => {
      const cursor = { seq: afterSeq, epoch };
      const page = await changes.listChanges(caller, normalizeId(chatId), cursor, limit(pageSize));
      const { batch, hasMore, resetFromSeq } = page;
      const wire = batch.entries.map((entry) => ({ change: toWireEntry(entry) }));
      const lastSeq = batch.isEmpty ? (resetFromSeq ?? afterSeq) : batch.lastSeq;
      const referenced = page.referenced.map(toWireMessage);
      return { changes: wire, lastSeq, hasMore, epoch: page.epoch, resetFromSeq, referenced };
    },
  },
} satisfies OperationTable<Pick<ChatServiceImplementation, Changes>, Services>;
