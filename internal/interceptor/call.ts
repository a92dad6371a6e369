import type { Span } from 'opentracing';
import type { ChatError } from '../model/errors.ts';
import type { LightAbortSignal } from '../model/light-abort.ts';
import type { Principal } from '../model/principal.ts';

/** One call on its way through the interceptors: a unary one, or a stream from its opening to its end. */
export interface Call {
  readonly kind: 'unary' | 'stream';
  /** `/chat.v1.ChatService/SendMessage` */
  readonly path: string;
  /** `SendMessage` */
  readonly method: string;
  /** The address that the call comes from. */
  readonly peer: string;
  /** The request of a unary call, as a ts-proto object. */
  readonly request?: object;
  /** What is wrong with a unary call's request that could not even be decoded. */
  readonly malformed?: ChatError;
  /** Aborts when the client has gone or its deadline is over. Interceptors may replace it by a narrower one. Of unary calls, an AbortSignal. */
  signal: LightAbortSignal;
  /** Set by the tracing interceptor. */
  traceId: string;
  span?: Span;
  /** When the call came, in milliseconds as of `performance.now`. Set by the logging interceptor. */
  begun?: number;
  /** Set by the auth interceptor unless the method is open to anyone. */
  principal?: Principal;
  /** A header of the request. */
  header(name: string): string | undefined;
  setResponseHeader(name: string, value: string): void;
  setTrailer(name: string, value: Uint8Array): void;
}

/**
 * Does something around a call, for both kinds alike: `next` resolves when the call has been answered or the stream has ended,
 * and rejects with what went wrong.
 */
export type Interceptor = (call: Call, next: () => Promise<unknown>) => Promise<unknown>;

/** An interceptor in two parts, between which it keeps nothing but what it has written on the call: a stream is open for long. */
export interface Step {
  /** Before the call is carried out. What it throws refuses the call. */
  begin?(call: Call): Promise<void> | void;
  /**
   * After a call that it began was answered, or its stream has ended; `error` is what went wrong, if anything did. Returns what is told of
   * that.
   */
  end?(call: Call, error: unknown): unknown;
}

/** An interceptor of unary calls only. */
export interface UnaryOnly {
  unary: Interceptor;
}

/** The first is the outermost. */
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

/** One function waits for the end of a call, however many steps there are: it costs half a KiB for each open stream. */
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
      failure = error ?? new Error('a call failed with nothing');
    }
    for (const step of steps.slice(0, begun).reverse()) if (step.end) failure = step.end(call, failure);
    if (failure !== undefined) throw failure;
    return result;
  };
}

/** The caller. Only for methods that are not open to anyone. */
export function principalOf({ principal, method }: Call): Principal {
  if (!principal) throw new Error(`${method} was reached without authentication`);
  return principal;
}
