import type { Command } from '../../../../pkg/api/chat/v1/chat.ts';
import type { Validate } from '../../../../pkg/proto-rules/compile-rules.ts';
import { fromWireCommand } from '../../../converter/command.ts';
import { assertValid } from '../../../interceptor/validation.ts';
import type { ChatError } from '../../../model/errors.ts';
import type { Incoming } from '../../../service/sessions/session.ts';
import type { ChatServices } from '../operations/chat-operations.ts';
import { isOperation, toOperationCommand } from '../operations/stream-operations.ts';

/** A decoded command, or the error of a command that cannot be decoded. */
export type ReadCommand = Command | { commandId: string; error: ChatError };

/** Validates the commands that clients send and converts them for sessions. An invalid command does not affect the others of its frame. */
export class CommandReader {
  readonly #services: ChatServices;
  readonly #validate: Validate;

  constructor(services: ChatServices, validate: Validate) {
    this.#services = services;
    this.#validate = validate;
  }

  read(commands: readonly ReadCommand[]): Incoming[] {
    return commands.map((command) => this.#readOne(command));
  }

  #readOne(received: ReadCommand): Incoming {
    const { commandId } = received;
    if ('error' in received) return { kind: 'invalid', commandId, error: received.error };
    try {
      assertValid(this.#validate, received);
      const { command } = received;
      if (!command) throw new TypeError('a command without a command passed the validation');
      if (isOperation(command)) return toOperationCommand(this.#services, commandId, command);
      return fromWireCommand(commandId, command);
    } catch (error) {
      return { kind: 'invalid', commandId, error };
    }
  }
}
