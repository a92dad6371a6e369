import * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { ChangeRequest, NewContent } from '../model/change.ts';
import type { ChatUpdateRequest } from '../model/chat-fields.ts';
import type { Command, StartFrom } from '../model/command.ts';
import type { Complete } from '../model/complete.ts';
import type { Draft } from '../model/message.ts';

/** Commands that concern the stream itself. All other commands are operations. */
export type StreamCommand = Extract<
  NonNullable<wire.Command['command']>,
  { $case: 'subscribe' | 'subscribeAll' | 'unsubscribe' | 'authenticate' | 'ping' }
>;

/** Converts a validated command. */
export function fromWireCommand(commandId: string, command: StreamCommand): Complete<Command> {
  switch (command.$case) {
    case 'subscribe': {
      const { chatId, afterSeq, epoch } = command.value;
      const cursor = afterSeq === undefined ? undefined : { seq: afterSeq, epoch: epoch ?? '' };
      return { kind: 'subscribe', commandId, chatId: normalizeId(chatId), cursor };
    }
    case 'subscribeAll': {
      const { cursors, others, epochs } = command.value;
      const byChat = new Map(
        Object.entries(cursors).map(([chatId, seq]) => [normalizeId(chatId), { seq, epoch: epochs[chatId] ?? '' }]),
      );
      return { kind: 'subscribe_all', commandId, cursors: byChat, others: startFrom[others] };
    }
    case 'unsubscribe':
      return { kind: 'unsubscribe', commandId, chatId: normalizeId(command.value.chatId) };
    case 'authenticate':
      return { kind: 'authenticate', commandId, token: command.value.token };
    case 'ping':
      return { kind: 'ping', commandId };
    default:
      return command satisfies never;
  }
}

export function fromWireDraft({
  chatId,
  clientMessageId,
  text,
  data,
  type,
  silent,
  replyToId,
  rootId,
  mentions,
}: wire.SendMessageRequest): Complete<Omit<Draft, 'sender' | 'asService'>> {
  return {
    chatId: normalizeId(chatId),
    clientMessageId,
    text,
    data,
    type: type === 'text' ? undefined : type || undefined,
    silent: silent || undefined,
    replyToId: replyToId && normalizeId(replyToId),
    rootId: rootId && normalizeId(rootId),
    mentions: mentions.length > 0 ? mentions : undefined,
  };
}

export function fromWireEdit({
  chatId,
  messageId,
  clientChangeId,
  text,
  ifVersion,
  data,
  mentions,
}: wire.EditMessageRequest): Complete<ChangeRequest & NewContent> {
  return {
    chatId: normalizeId(chatId),
    messageId: normalizeId(messageId),
    clientChangeId,
    text,
    ifVersion,
    data,
    mentions: mentions.length > 0 ? mentions : undefined,
  };
}

export function fromWireDeletion({
  chatId,
  messageId,
  clientChangeId,
  hide,
  reason,
  ifVersion,
}: wire.DeleteMessageRequest): Complete<ChangeRequest & { hide: boolean; reason: string }> {
  return { chatId: normalizeId(chatId), messageId: normalizeId(messageId), clientChangeId, hide, reason, ifVersion };
}

export function fromWireUpdate({
  chatId,
  clientChangeId,
  name,
  description,
  data,
}: wire.UpdateChatRequest): Complete<ChatUpdateRequest> {
  return { chatId: normalizeId(chatId), clientChangeId, fields: { name, description, data } };
}

/** Returns the lower-case spelling of a UUID. UUIDs ignore case; keys of maps do not. */
export function normalizeId(id: string): string {
  return id.toLowerCase();
}

const startFrom: Record<wire.StartFrom, StartFrom> = {
  [wire.StartFrom.UNSPECIFIED]: 'NOW',
  [wire.StartFrom.NOW]: 'NOW',
  [wire.StartFrom.JOINED]: 'JOINED',
  [wire.StartFrom.BEGINNING]: 'BEGINNING',
};
