import type { Command } from '../../../../pkg/api/chat/v1/chat.ts';
import type { Validate } from '../../../../pkg/proto-rules/compile-rules.ts';
import { fromWireCommand } from '../../../converter/command.ts';
import { assertValid } from '../../../interceptor/validation.ts';
import type { ChatError } from '../../../model/errors.ts';
import type { Incoming } from '../../../service/sessions/session.ts';

/** A command that could be decoded, or what is wrong with it. */
export type ReadCommand = Command | { commandId: string; error: ChatError };

/** Makes commands, as clients send them, into those of sessions. A bad one is told so and costs no more than itself. */
export class CommandReader {
  readonly #validate: Validate;

  constructor(validate: Validate) {
    this.#validate = validate;
  }

  read(commands: readonly ReadCommand[]): Incoming[] {
    return commands.map((command) => this.#readOne(command));
  }

  #readOne(command: ReadCommand): Incoming {
    const { commandId } = command;
    if ('error' in command) return { kind: 'invalid', commandId, error: command.error };
    try {
      assertValid(this.#validate, command);
      return fromWireCommand(command);
    } catch (error) {
      return { kind: 'invalid', commandId, error };
    }
  }
}
