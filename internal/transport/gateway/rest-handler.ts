import type { Request, RequestHandler, Response } from 'express';
import { Status as GrpcStatus } from 'nice-grpc-common';
import type { Logger } from 'pino';
import type { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { invalidFieldsError } from '../../model/errors.ts';
import { CallFailure, toCallFailure } from '../shared/calls/call-failure.ts';
import { toMetadata, toTimeoutMs } from '../shared/calls/metadata.ts';
import type { CallResult, UnaryCaller } from '../shared/calls/unary-caller.ts';
import { answer, setMetadata } from '../shared/http/answer.ts';
import { toPeer } from '../shared/http/peer.ts';
import { HttpFailure, sendFailure } from '../shared/http/send-failure.ts';
import { nameRoute } from './http-metrics.ts';

interface Deps {
  transcoder: Transcoder;
  caller: UnaryCaller;
  log: Logger;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Answers REST requests by calling the contract's methods, as its `google.api.http` rules say and as grpc-gateway does. Expects the body, if any,
 * in `req.body` as a Buffer. Never throws.
 */
export function restHandler({ transcoder, caller, log }: Deps): RequestHandler {
  const handle = async (req: Request, res: Response): Promise<void> => {
    const [path = '', query = ''] = split(req.url);
    const match = transcoder.match(req.method, path);
    switch (match.kind) {
      case 'not_found':
        throw new CallFailure(GrpcStatus.NOT_FOUND, 'Not Found');
      case 'bad_path':
        throw toCallFailure(invalidFieldsError({ field: 'path', description: match.description }));
      case 'method_not_allowed':
        res.set('Allow', match.allow.join(', '));
        throw new HttpFailure(405, GrpcStatus.UNIMPLEMENTED, 'Method Not Allowed');
      case 'route': {
        const { route, variables } = match;
        nameRoute(res, route.template.source);
        const timeoutMs = toTimeoutMs(req.get('grpc-timeout'));
        if (Number.isNaN(timeoutMs)) {
          throw toCallFailure(
            invalidFieldsError({ field: 'grpc-timeout', description: 'must be up to 8 digits and H, M, S, m, u or n' }),
          );
        }
        const message = transcoder.decodeRequest(route, variables, query, bodyOf(req));
        const call = callWithin(timeoutMs, res, (signal) =>
          caller.call(route.rpc, message, {
            metadata: toMetadata(req.headers, res.getHeader('x-request-id') as string),
            peer: toPeer(req),
            signal,
            timeoutMs,
          }),
        );
        const { response, metadata } = await call;
        setMetadata(res, metadata);
        answer(req, res, 200, transcoder.encodeResponse(route, response));
        return;
      }
      default:
        match satisfies never;
    }
  };

  return (req, res) => {
    handle(req, res).catch((error: unknown) => sendFailure({ transcoder, log }, req, res, error));
  };
}

function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

function bodyOf({ body }: Request): string | undefined {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  try {
    return utf8.decode(body);
  } catch {
    throw toCallFailure(invalidFieldsError({ field: 'body', description: 'must be UTF-8' }));
  }
}

/** Runs `call`, and aborts it when the client disconnects or after `timeoutMs`; then it throws CallFailure (DEADLINE_EXCEEDED). */
async function callWithin(
  timeoutMs: number | undefined,
  res: Response,
  call: (signal: AbortSignal) => Promise<CallResult>,
): Promise<CallResult> {
  const controller = new AbortController();
  const abandon = () => {
    if (!res.writableFinished) controller.abort();
  };
  res.once('close', abandon);
  let timedOut = false;
  // The longest delay of setTimeout.
  const maxTimeoutMs = 2 ** 31 - 1;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => {
            timedOut = true;
            controller.abort();
          },
          Math.min(timeoutMs, maxTimeoutMs),
        );
  try {
    return await call(controller.signal);
  } catch (error) {
    if (!timedOut) throw error;
    const metadata = error instanceof CallFailure ? error.metadata : undefined;
    throw new CallFailure(GrpcStatus.DEADLINE_EXCEEDED, 'the call took longer than Grpc-Timeout allows', { metadata });
  } finally {
    clearTimeout(timer);
    res.off('close', abandon);
  }
}
