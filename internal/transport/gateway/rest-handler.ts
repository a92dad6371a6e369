import type { Request, RequestHandler, Response } from 'express';
import { Status as GrpcStatus } from 'nice-grpc-common';
import type { Logger } from 'pino';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import { BadInput, type Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { httpStatusOf, retryAfterSeconds, toStatus } from '../../converter/status.ts';
import { type ChatError, invalidFieldsError } from '../../model/errors.ts';
import { toMetadata, toTimeoutMs } from '../shared/calls/metadata.ts';
import { CallFailure, type CallResult, type UnaryCaller } from '../shared/calls/unary-caller.ts';

interface Deps {
  transcoder: Transcoder;
  caller: UnaryCaller;
  log: Logger;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What the response metadata becomes besides `Grpc-Metadata-*`. */
const bare = new Set(['x-trace-id', 'x-request-id']);
/** What gRPC's own transport says. */
const dropped = /^(grpc-|content-type$|date$|:)/;

/**
 * Answers REST requests by calling the contract's methods, as its `google.api.http` rules say and as grpc-gateway does. The body, if
 * any, has been read into a Buffer. Never throws.
 */
export function restHandler({ transcoder, caller, log }: Deps): RequestHandler {
  const answer = async (req: Request, res: Response): Promise<void> => {
    const [path = '', query = ''] = split(req.url);
    const match = transcoder.match(req.method, path);
    switch (match.kind) {
      case 'not_found':
        throw new CallFailure(GrpcStatus.NOT_FOUND, 'Not Found');
      case 'bad_path':
        throw failureOf(invalidFieldsError({ field: 'path', description: match.description }));
      case 'method_not_allowed':
        res.set('Allow', match.allow.join(', '));
        throw new HttpFailure(405, GrpcStatus.UNIMPLEMENTED, 'Method Not Allowed');
      case 'route': {
        const { route, variables } = match;
        const timeoutMs = toTimeoutMs(req.get('grpc-timeout'));
        if (Number.isNaN(timeoutMs)) {
          throw failureOf(
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
        send(req, res, 200, transcoder.encodeResponse(route, response));
        return;
      }
      default:
        match satisfies never;
    }
  };

  return (req, res) => {
    answer(req, res).catch((error: unknown) => sendFailure({ transcoder, log }, req, res, error));
  };
}

/** Answers with what went wrong, as grpc-gateway does; what is not a CallFailure or BadInput is logged whole. Does nothing if it is too late. */
export function sendFailure(
  { transcoder, log }: Pick<Deps, 'transcoder' | 'log'>,
  req: Request,
  res: Response,
  error: unknown,
): void {
  const failure = toFailure(error);
  if (failure === undefined) {
    log.error({ err: error, requestId: res.getHeader('x-request-id') }, 'a request failed');
  }
  const { code, message, details, metadata } =
    failure ?? new CallFailure(GrpcStatus.INTERNAL, `internal error (request id ${res.getHeader('x-request-id')})`);
  if (res.headersSent || res.destroyed) return;
  setMetadata(res, metadata);
  if (code === GrpcStatus.UNAUTHENTICATED) res.set('WWW-Authenticate', challenge(req, message));
  const retryAfter = details && retryAfterSeconds(Status.decode(details));
  if (retryAfter !== undefined) res.set('Retry-After', String(retryAfter));
  const status = failure instanceof HttpFailure ? failure.status : httpStatusOf(code);
  send(req, res, status, transcoder.encodeStatus({ code, message, details }));
}

/** A failure whose HTTP status is not that of its code. */
export class HttpFailure extends CallFailure {
  readonly status: number;

  constructor(status: number, code: number, message: string) {
    super(code, message);
    this.status = status;
  }
}

export function failureOf(error: ChatError): CallFailure {
  const status = toStatus(error);
  return new CallFailure(status.code, status.message, { details: Status.encode(status).finish() });
}

function toFailure(error: unknown): CallFailure | undefined {
  if (error instanceof CallFailure) return error;
  if (error instanceof BadInput) return failureOf(invalidFieldsError(...error.violations));
  return undefined;
}

function split(url: string): [string, string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
}

/** The client's address and port, as gRPC writes them. */
export function toPeer({ ip = '', socket }: Request): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${socket.remotePort}`;
}

function bodyOf({ body }: Request): string | undefined {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  try {
    return utf8.decode(body);
  } catch {
    throw failureOf(invalidFieldsError({ field: 'body', description: 'must be UTF-8' }));
  }
}

/** Ends the call when its time is up, with DEADLINE_EXCEEDED, or the client has gone. */
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
  // A timer cannot wait longer.
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
    throw new CallFailure(GrpcStatus.DEADLINE_EXCEEDED, 'the time that Grpc-Timeout gives is over', { metadata });
  } finally {
    clearTimeout(timer);
    res.off('close', abandon);
  }
}

function setMetadata(res: Response, metadata: ReadonlyMap<string, string>): void {
  for (const [name, value] of metadata) {
    if (bare.has(name)) res.set(name, value);
    else if (!dropped.test(name)) res.set(`Grpc-Metadata-${name}`, value);
  }
}

/** What was read can be asked for again with If-None-Match; nothing else may be kept, and only what is public by others than the caller. */
function send(req: Request, res: Response, status: number, json: string): void {
  res.status(status).set('Content-Type', 'application/json; charset=utf-8');
  const mayBeKept = !req.path.startsWith('/v1/auth/') && (req.method === 'GET' || req.method === 'HEAD');
  if (status === 200 && mayBeKept) {
    res.set('Cache-Control', req.path.startsWith('/.well-known/') ? 'public, max-age=60' : 'private, no-cache');
    // Adds the ETag.
    res.send(json);
  } else {
    res.set('Cache-Control', 'no-store');
    res.end(json);
  }
}

/** Source: RFC 6750, section 3 */
function challenge(req: Request, message: string): string {
  const realm = 'Bearer realm="chat"';
  return req.headers.authorization === undefined
    ? realm
    : `${realm}, error="invalid_token", error_description="${message.replace(/[^ !#-[\]-~]/g, ' ')}"`;
}
