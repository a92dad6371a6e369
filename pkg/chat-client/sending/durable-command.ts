import type { Command } from '../../api/chat/v1/chat.ts';
import type { PendingChange } from '../messages/pending-change.ts';
import type { PendingMessage } from '../messages/pending-message.ts';

type Body = NonNullable<Command['command']>;

/**
 * A command about a message that the client sends again on each new stream until the service accepts or permanently refuses it. These are the
 * commands with a `client_message_id` or `client_change_id`, by which the service recognises a repetition.
 */
export type DurableCommand = Extract<
  // A streamed message is sent by StreamSender.
  Exclude<Body, { $case: 'startMessage' }>,
  { value: { clientMessageId: string } | { clientChangeId: string; messageId: string } }
>;

/** Returns the message or change that the command carries. */
export function contentOf(command: DurableCommand): PendingMessage | PendingChange {
  switch (command.$case) {
    case 'sendMessage':
      return command.value;
    case 'editMessage':
      return { kind: 'edit', ...command.value };
    case 'deleteMessage':
      return { kind: 'delete', ...command.value };
    case 'addReaction':
      return { kind: 'react', ...command.value };
    case 'removeReaction':
      return { kind: 'unreact', ...command.value };
    default:
      return command satisfies never;
  }
}

/** Creates the command that sends a message or changes one. */
export function toCommand(content: PendingMessage | PendingChange): DurableCommand {
  if (!isChange(content)) {
    const { data, type = '', silent = false, mentions = [] } = content;
    return { $case: 'sendMessage', value: { ...content, data, type, silent, mentions: [...mentions] } };
  }
  switch (content.kind) {
    case 'edit': {
      const { kind, mentions = [], ...value } = content;
      return { $case: 'editMessage', value: { ...value, data: value.data, mentions: [...mentions] } };
    }
    case 'delete': {
      const { kind, ...value } = content;
      return { $case: 'deleteMessage', value };
    }
    case 'react':
    case 'unreact': {
      const { kind, ...value } = content;
      return { $case: kind === 'react' ? 'addReaction' : 'removeReaction', value };
    }
    default:
      return content satisfies never;
  }
}

/** Returns what no two messages or changes of a client have in common. */
export function idOf(content: PendingMessage | PendingChange): string {
  return isChange(content)
    ? `changes/${content.chatId}/${content.clientChangeId}`
    : `${content.chatId}/${content.clientMessageId}`;
}

export function isChange(content: PendingMessage | PendingChange): content is PendingChange {
  return 'clientChangeId' in content;
}
