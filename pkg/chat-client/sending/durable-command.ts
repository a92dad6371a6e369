import type { Command } from '../../api/chat/v1/chat.ts';
import type { PendingMessage } from '../messages/pending-message.ts';

type Body = NonNullable<Command['command']>;

/**
 * A command that the client sends again on each new stream until the service accepts or permanently refuses it. These are the commands with a
 * `client_message_id`, by which the service recognises a repetition.
 */
export type DurableCommand = Extract<Body, { value: { clientMessageId: string } }>;

/** Returns the message that the command sends; undefined for other commands. Only messages are stored in the outbox and announced by events. */
export function messageOf(command: DurableCommand): PendingMessage | undefined {
  return command.$case === 'sendMessage' ? command.value : undefined;
}

/** Creates the command that sends a message. */
export function sendMessage(message: PendingMessage): DurableCommand {
  return { $case: 'sendMessage', value: message };
}
