import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Transcoder } from '../../../../pkg/transcoder/transcoder.ts';
import { toMetadata } from '../../shared/calls/metadata.ts';
import type { UnaryCaller } from '../../shared/calls/unary-caller.ts';
import { toPeer } from '../../shared/http/peer.ts';
import { whenGone } from '../when-gone.ts';
import { withRefusals } from './to-refusal.ts';

/** One operation of the contract, as its REST rule names it. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Without the query; `at` escapes the parts that come from a request. */
  path: string;
  query?: Readonly<Record<string, string | undefined>>;
  body?: object;
}

/** Calls the contract's operations on behalf of whoever sent the request, by the same interceptors as every other call. */
export class Operations {
  readonly #transcoder: Transcoder;
  readonly #caller: UnaryCaller;

  constructor({ transcoder, caller }: { transcoder: Transcoder; caller: UnaryCaller }) {
    this.#transcoder = transcoder;
    this.#caller = caller;
  }

  /** Returns the response as JSON. Throws `Refusal` if the operation is refused or fails. */
  call(request: Request, response: Response, { method, path, query = {}, body }: Call): Promise<unknown> {
    return withRefusals(async () => {
      const match = this.#transcoder.match(method, path);
      if (match.kind !== 'route') throw new Error(`${method} ${path} is no operation`);
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const message = this.#transcoder.decodeRequest(
        match.route,
        match.variables,
        new URLSearchParams(given).toString(),
        body && JSON.stringify(body),
      );
      const { response: answer } = await this.#caller.call(match.route.rpc, message, {
        metadata: toMetadata(request.headers, randomUUID()),
        peer: toPeer(request),
        signal: whenGone(response),
        timeoutMs: undefined,
      });
      return JSON.parse(this.#transcoder.encodeResponse(match.route, answer));
    });
  }
}

/** A path with its variable parts escaped: at`/v1/bans/${userId}`. */
export function at(parts: TemplateStringsArray, ...variables: string[]): string {
  return String.raw({ raw: parts }, ...variables.map(encodeURIComponent));
}
