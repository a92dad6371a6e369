import type { Span } from 'opentracing';
import type { ChatError } from '../model/errors.ts';
import type { LightAbortSignal } from '../model/light-abort.ts';
import type { Principal } from '../model/principal.ts';

/** One call on its way through the interceptors: a unary call, or a stream from its opening to its end. */
export interface Call {
  readonly kind: 'unary' | 'stream';
  /** `/chat.v1.ChatService/SendMessage` */
  readonly path: string;
  /** `SendMessage` */
  readonly method: string;
  /** The client's address and port. */
  readonly peer: string;
  /** The request of a unary call, as a ts-proto object. */
  readonly request?: object;
  /** The error of a unary call whose request cannot be decoded. */
  readonly malformed?: ChatError;
  /**
   * Aborts when the client disconnects or its deadline passes. Interceptors may replace it by one that aborts earlier. It is an AbortSignal if the
   * call is unary.
   */
  signal: LightAbortSignal;
  /** Set by the tracing interceptor. */
  traceId: string;
  /** Absent if the trace is not recorded. */
  span?: Span;
  /** When the call began, in milliseconds of `performance.now`. Set by the logging interceptor. */
  begun?: number;
  /** The authenticated user. Set by the auth interceptor unless the method needs no token. */
  principal?: Principal;
  /** Returns a header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  setResponseHeader(name: string, value: string): void;
  setTrailer(name: string, value: Uint8Array): void;
}

/** Wraps a call. `next` resolves when the call has been answered or the stream has ended, and rejects if it fails. */
export type Interceptor = (call: Call, next: () => Promise<unknown>) => Promise<unknown>;

/** An interceptor in two parts. It stores its state on the call, so that an open stream holds no suspended function per interceptor. */
export interface Step {
  /** Runs before the call. If it throws, the call is refused with that error. */
  begin?(call: Call): Promise<void> | void;
  /**
   * Runs after the call has been answered or its stream has ended, if `begin` succeeded. `error` is undefined if the call succeeded. Returns the
   * error for the next outer interceptor; undefined makes the call succeed.
   */
  end?(call: Call, error: unknown): unknown;
}

/** An interceptor of unary calls only. */
export interface UnaryOnly {
  unary: Interceptor;
}

/** Combines interceptors into one. The first is the outermost. */
export function compose(interceptors: readonly (Interceptor | Step | UnaryOnly)[]): Interceptor {
  const unary = nest(interceptors.map((interceptor) => ('unary' in interceptor ? interceptor.unary : interceptor)));
  const stream = nest(interceptors.flatMap((interceptor) => ('unary' in interceptor ? [] : [interceptor])));
  return (call, next) => (call.kind === 'unary' ? unary : stream)(call, next);
}

function nest(interceptors: readonly (Interceptor | Step)[]): Interceptor {
  return interceptors
    .reduce<(Interceptor | Step[])[]>((layers, interceptor) => {
      const last = layers.at(-1);
      if (typeof interceptor === 'function') layers.push(interceptor);
      else if (Array.isArray(last)) last.push(interceptor);
      else layers.push([interceptor]);
      return layers;
    }, [])
    .map((layer) => (Array.isArray(layer) ? inSteps(layer) : layer))
    .reduceRight<Interceptor>(
      (inner, outer) => (call, next) => outer(call, () => inner(call, next)),
      (_call, next) => next(),
    );
}

/** Runs all steps in one async function: a suspended function costs 0.5 KiB for each open stream. */
function inSteps(steps: readonly Step[]): Interceptor {
  return async (call, next) => {
    let begun = 0;
    let result: unknown;
    let failure: unknown;
    try {
      for (const step of steps) {
        const ready = step.begin?.(call);
        if (ready) await ready;
        begun += 1;
      }
      result = await next();
    } catch (error) {
      failure = error ?? new Error('a call failed with undefined');
    }
    for (const step of steps.slice(0, begun).reverse()) if (step.end) failure = step.end(call, failure);
    if (failure !== undefined) throw failure;
    return result;
  };
}

/** Returns the authenticated user. Throws if there is none, as in methods that need no token. */
export function principalOf({ principal, method }: Call): Principal {
  if (!principal) throw new Error(`${method} was reached without authentication`);
  return principal;
}
