import type { Command } from '../../api/chat/v1/chat.ts';
import type { PendingMessage } from '../messages/pending-message.ts';

type Body = NonNullable<Command['command']>;

/**
 * A command that is sent again on every new stream until the service has answered it for good: every command of the contract with an id of the
 * client, by which the service recognises a repetition.
 */
export type DurableCommand = Extract<Body, { value: { clientMessageId: string } }>;

/** The message that the command sends; undefined if it does something else. Messages are kept in the outbox and told of by events. */
export function messageOf(command: DurableCommand): PendingMessage | undefined {
  return command.$case === 'sendMessage' ? command.value : undefined;
}

export function sendMessage(message: PendingMessage): DurableCommand {
  return { $case: 'sendMessage', value: message };
}
