import type { Span } from 'opentracing';
import type { ChatError } from '../model/errors.ts';
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
  /** Aborts when the client has gone or its deadline is over. Interceptors may replace it by a narrower one. */
  signal: AbortSignal;
  /** Set by the tracing interceptor. */
  traceId: string;
  span?: Span;
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

/** The first interceptor is the outermost. */
export function compose(interceptors: readonly Interceptor[]): Interceptor {
  return interceptors.reduceRight<Interceptor>(
    (inner, outer) => (call, next) => outer(call, () => inner(call, next)),
    (_call, next) => next(),
  );
}

/** The caller. Only for methods that are not open to anyone. */
export function principalOf({ principal, method }: Call): Principal {
  if (!principal) throw new Error(`${method} was reached without authentication`);
  return principal;
}
