import type { BusState } from '../../../client/bus/bus.ts';

/** What goes with a call besides its request. */
export interface CallOptions {
  /** Metadata, by lower-case name; values of names in `-bin` are bytes. */
  metadata: ReadonlyMap<string, string | Uint8Array>;
  /** The client's address and port. */
  peer: string;
  /** Aborts when the client has gone or its time is up. */
  signal: AbortSignal;
  /** How long the client waits, in milliseconds. */
  timeoutMs: number | undefined;
}

export interface CallResult {
  response: Uint8Array;
  /** Response metadata, by lower-case name. */
  metadata: ReadonlyMap<string, string>;
}

/** A way to the contract's unary methods, in encoded messages. */
export interface UnaryCaller {
  /** Calls `/package.Service/Method`. Throws CallFailure. */
  call(rpc: string, request: Uint8Array, options: CallOptions): Promise<CallResult>;
  /** Whether calls can be expected to succeed. */
  readonly ready: boolean;
  /** What carries news between nodes; absent where that is not known. */
  readonly bus?: BusState | undefined;
  close(): void;
}
