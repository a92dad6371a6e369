import type { BusState } from '../../../client/bus/bus.ts';

/** Metadata, origin and deadline of a call. */
export interface CallOptions {
  /** Metadata, by lower-case name; values of names in `-bin` are bytes. */
  metadata: ReadonlyMap<string, string | Uint8Array>;
  /** The client's address and port. */
  peer: string;
  /** Aborts when the client disconnects or its deadline passes. */
  signal: AbortSignal;
  /** How long the client waits, in milliseconds; undefined if it sets no limit. */
  timeoutMs: number | undefined;
}

export interface CallResult {
  /** The encoded response message. */
  response: Uint8Array;
  /** Response metadata, by lower-case name. */
  metadata: ReadonlyMap<string, string>;
}

/** Calls the contract's unary methods with encoded messages, in this process or in another. */
export interface UnaryCaller {
  /** Calls `/package.Service/Method`. Throws CallFailure if the call fails. */
  call(rpc: string, request: Uint8Array, options: CallOptions): Promise<CallResult>;
  /** Whether the called services are reachable and ready. */
  readonly ready: boolean;
  /** The state of the bus between nodes; undefined in a process that does not use one. */
  readonly bus?: BusState | undefined;
  close(): void;
}
