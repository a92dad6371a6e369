import { type Call, principalOf } from '../../../interceptor/call.ts';
import type { Device } from '../../../model/account.ts';
import type { Principal } from '../../../model/principal.ts';
import type { CallContext, Operation } from './operation.ts';
import { pageLimit } from './page-limit.ts';
import type { UnaryHandlers } from './served-service.ts';

// biome-ignore lint/suspicious/noExplicitAny: rows of any requests and responses; their table has been checked against the contract.
type Rows<Services> = Record<string, Operation<Services, any, any>>;

/** The handlers of unary calls, one for each row of a table of operations. */
export function unaryHandlers<Services, Table extends Rows<Services>>(
  table: Table,
  services: Services,
  limits: { maxPageSize: number },
): UnaryHandlers<Table> {
  const limit = pageLimit(limits);
  return Object.fromEntries(
    Object.entries(table).map(([method, { run }]) => [
      method,
      (request: unknown, { call, signal }: { call: Call; signal: AbortSignal }) =>
        run(services, request, new UnaryContext(call, signal, limit)),
    ]),
  ) as unknown as UnaryHandlers<Table>;
}

class UnaryContext implements CallContext {
  readonly signal: AbortSignal;
  readonly limit: (pageSize: number) => number;
  readonly #call: Call;

  constructor(call: Call, signal: AbortSignal, limit: (pageSize: number) => number) {
    this.#call = call;
    this.signal = signal;
    this.limit = limit;
  }

  get caller(): Principal {
    return principalOf(this.#call);
  }

  get device(): Device {
    const call = this.#call;
    const userAgent = call.header('grpcgateway-user-agent') ?? call.header('user-agent') ?? '';
    return { userAgent: userAgent.slice(0, 256), address: call.peer.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') };
  }
}
