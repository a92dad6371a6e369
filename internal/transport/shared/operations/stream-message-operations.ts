import {
  type AppendMessageRequest,
  type ChatServiceImplementation,
  type FinishMessageRequest,
  FinishOutcome,
  type StartMessageRequest,
  type StopMessageRequest,
} from '../../../../pkg/api/chat/v1/chat.ts';
import { normalizeId } from '../../../converter/command.ts';
import type { StreamReceipt } from '../../../model/stream-write.ts';
import type { StreamService } from '../../../service/chats/stream-service.ts';
import type { CommandContext, OperationTable } from './operation.ts';

interface Services {
  streams: StreamService;
}

const startMessage = (
  { streams }: Services,
  { chatId, clientMessageId, text }: StartMessageRequest,
  { caller }: CommandContext,
): Promise<StreamReceipt> => streams.startMessage(caller, { chatId: normalizeId(chatId), clientMessageId, text });

const appendMessage = (
  { streams }: Services,
  { part, text, ...ids }: AppendMessageRequest,
  { caller }: CommandContext,
): Promise<StreamReceipt> => streams.appendMessage(caller, { ...toTarget(ids), part, text });

function finishMessage(
  { streams }: Services,
  { outcome, ...ids }: FinishMessageRequest,
  { caller }: CommandContext,
): Promise<StreamReceipt> {
  const as = outcome === FinishOutcome.COMPLETE ? 'complete' : 'cancelled';
  return streams.finishMessage(caller, { ...toTarget(ids), outcome: as });
}

const stopMessage = ({ streams }: Services, request: StopMessageRequest, { caller }: CommandContext): Promise<void> =>
  streams.stopMessage(caller, toTarget(request));

/** The operations of chat.v1.ChatService on streamed messages. */
export const streamMessageOperations = {
  startMessage: { run: startMessage, inStream: startMessage },

  appendMessage: { run: appendMessage, inStream: appendMessage, pipelined: true },

  finishMessage: { run: finishMessage, inStream: finishMessage, pipelined: true },

  stopMessage: {
    run: async (services, request, context) => {
      await stopMessage(services, request, context);
      return {};
    },
    inStream: stopMessage,
  },
} satisfies OperationTable<
  Pick<ChatServiceImplementation, 'startMessage' | 'appendMessage' | 'finishMessage' | 'stopMessage'>,
  Services
>;

function toTarget({ chatId, messageId }: { chatId: string; messageId: string }) {
  return { chatId: normalizeId(chatId), messageId: normalizeId(messageId) };
}
