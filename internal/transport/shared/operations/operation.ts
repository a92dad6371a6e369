import type { Device } from '../../../model/account.ts';
import type { Principal } from '../../../model/principal.ts';
import type { CommandOutcome } from '../../../service/sessions/session.ts';

/** The context in which a command of a stream runs. */
export interface CommandContext {
  /** The authenticated user. Throws if the call has no token; only operations that are open to everyone run without one. */
  readonly caller: Principal;
  /** Aborts when no client waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** The context in which a unary call runs. */
export interface CallContext extends CommandContext {
  /** The client's program and address, for the list of sessions. */
  readonly device: Device;
  /** Returns the number of items in a page for the requested `page_size`. Throws ChatError (INVALID_FIELDS) if it is too large. */
  limit(pageSize: number): number;
}

/** Carries out a command of a stream. The receipt, if there is one, goes into the event `accepted`. */
export type RunCommand<Services, Request> = (
  services: Services,
  request: Request,
  context: CommandContext,
) => Promise<CommandOutcome>;

/**
 * A row of the table of operations: converts a request of the contract, calls the service layer, and converts the result to a response.
 * model/operations.ts says, under the same name, which roles may use the operation.
 */
export interface Operation<Services, Request, Response> {
  /** Carries out a unary call. The request has been validated, and the token's roles allow it. */
  run(services: Services, request: Request, context: CallContext): Promise<Response>;
  /** Carries out the command of this name in a stream. Absent if the contract has no such command. */
  inStream?: RunCommand<Services, Request>;
  /** Set if a stream starts its next command while this one waits for its commit. Else a stream waits for each command to finish. */
  pipelined?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: any unary method of a generated service.
type Unary = (request: any, context: any) => Promise<any>;
type UnaryMethods<Service> = { [M in keyof Service]: Service[M] extends Unary ? M : never }[keyof Service];

/** A row for each unary method of a service that ts-proto generated. A method without a row does not compile. */
export type OperationTable<Service, Services> = {
  [M in UnaryMethods<Service>]: Service[M] extends (request: infer Request, context: never) => Promise<infer Response>
    ? Operation<Services, Request, Response>
    : never;
};
