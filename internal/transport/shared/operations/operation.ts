import type { Device } from '../../../model/account.ts';
import type { Principal } from '../../../model/principal.ts';
import type { CommandOutcome } from '../../../service/sessions/session.ts';

/** What a command of a stream is carried out with. */
export interface CommandContext {
  /** Throws for a caller without a token: only operations that are open to anyone are reached by one. */
  readonly caller: Principal;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** What a unary call is carried out with. */
export interface CallContext extends CommandContext {
  readonly device: Device;
  /** Items of a page for the requested `page_size`. Throws INVALID_ARGUMENT naming `page_size`. */
  limit(pageSize: number): number;
}

/** Carries out a command of a stream. The receipt, if there is one, goes into the event `accepted`. */
export type RunCommand<Services, Request> = (
  services: Services,
  request: Request,
  context: CommandContext,
) => Promise<CommandOutcome>;

/**
 * One row of the table of operations: how a request of the contract becomes a call of the service layer, and its result a response. Who may use the
 * operation is said in model/operations.ts, under the same name.
 */
export interface Operation<Services, Request, Response> {
  /** Carries out a unary call. The request has been validated, and the token's roles allow it. */
  run(services: Services, request: Request, context: CallContext): Promise<Response>;
  /** Carries out the command of this name in a stream. Absent: there is none in the contract. */
  inStream?: RunCommand<Services, Request>;
  /** Whether a stream carries out its next command while this one waits for the commit. Off: commands are carried out one by one. */
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
