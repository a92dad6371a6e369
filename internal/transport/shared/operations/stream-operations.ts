import type { Command } from '../../../../pkg/api/chat/v1/chat.ts';
import type { Operation } from '../../../model/operations.ts';
import type { Principal } from '../../../model/principal.ts';
import type { CommandOutcome, OperationCommand } from '../../../service/sessions/session.ts';
import { type ChatServices, chatOperations, streamOnlyOperations } from './chat-operations.ts';
import type { Operation as Row, RunCommand } from './operation.ts';

type WireCommand = NonNullable<Command['command']>;

/** Commands that concern the stream itself. The session carries them out. */
type OwnCommand = Extract<
  WireCommand,
  { $case: 'subscribe' | 'subscribeAll' | 'unsubscribe' | 'authenticate' | 'ping' }
>;

/** Commands that are operations: all of the contract's commands except those above. */
type OperationCase = Exclude<WireCommand['$case'], OwnCommand['$case']>;

interface StreamOperation {
  operation: Operation;
  pipelined: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: each is called with the value of its own command.
  run: RunCommand<ChatServices, any>;
}

/** The rows that are also commands of a stream. The command has the name of the method. */
type RowsInStreams = {
  [M in keyof typeof chatOperations]: (typeof chatOperations)[M] extends { inStream: unknown } ? M : never;
}[keyof typeof chatOperations];

/** The operations of streams, by their field in `Command`. A command of the contract without a row does not compile. */
export const streamOperations: Record<OperationCase, StreamOperation> = fromRows();

function fromRows(): Record<RowsInStreams | keyof typeof streamOnlyOperations, StreamOperation> {
  const rows = Object.entries<Row<ChatServices, never, unknown>>(chatOperations).flatMap(([method, row]) =>
    row.inStream
      ? [[method, { operation: capitalize(method), pipelined: row.pipelined ?? false, run: row.inStream }]]
      : [],
  );
  return { ...Object.fromEntries(rows), typing: { pipelined: false, ...streamOnlyOperations.typing } };
}

/** Converts a handler's name to the method's name in the contract. */
function capitalize(method: string): Operation {
  return `${method[0]!.toUpperCase()}${method.slice(1)}` as Operation;
}

/** Whether the command is an operation; else it concerns the stream itself. */
export function isOperation(command: WireCommand): command is Exclude<WireCommand, OwnCommand> {
  return Object.hasOwn(streamOperations, command.$case);
}

/** Creates a command that a session can carry out. */
export function toOperationCommand(
  services: ChatServices,
  commandId: string,
  { $case, value }: Exclude<WireCommand, OwnCommand>,
): OperationCommand {
  return new BoundCommand(services, commandId, streamOperations[$case], value);
}

class BoundCommand implements OperationCommand {
  readonly kind = 'operation';
  readonly commandId: string;
  readonly #services: ChatServices;
  readonly #row: StreamOperation;
  readonly #value: unknown;

  constructor(services: ChatServices, commandId: string, row: StreamOperation, value: unknown) {
    this.commandId = commandId;
    this.#services = services;
    this.#row = row;
    this.#value = value;
  }

  get operation(): Operation {
    return this.#row.operation;
  }

  get pipelined(): boolean {
    return this.#row.pipelined;
  }

  run(caller: Principal): Promise<CommandOutcome> {
    return this.#row.run(this.#services, this.#value, { caller });
  }
}
