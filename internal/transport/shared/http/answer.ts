import type { Request, Response } from 'express';

/** Response metadata that becomes a header of the same name. */
const bare = new Set(['x-trace-id', 'x-request-id']);
/** Metadata of gRPC's own transport, which means nothing in HTTP/1.1. */
const dropped = /^(grpc-|content-type$|date$|:)/;

/** Sets response metadata as headers: the trace id and the request id under their own names, the rest as `Grpc-Metadata-*`. */
export function setMetadata(res: Response, metadata: ReadonlyMap<string, string>): void {
  for (const [name, value] of metadata) {
    if (bare.has(name)) res.set(name, value);
    else if (!dropped.test(name)) res.set(`Grpc-Metadata-${name}`, value);
  }
}

/**
 * Sends the JSON and says who may cache it. A successful read gets an ETag, so that the client's own cache can revalidate it; shared caches may
 * keep only the documents below `/.well-known/`. Everything else, and every read below `/v1/auth/`, is `no-store`.
 */
export function answer(req: Request, res: Response, status: number, json: string): void {
  res.status(status).set('Content-Type', 'application/json; charset=utf-8');
  const mayBeKept = !req.path.startsWith('/v1/auth/') && (req.method === 'GET' || req.method === 'HEAD');
  if (status === 200 && mayBeKept) {
    res.set('Cache-Control', req.path.startsWith('/.well-known/') ? 'public, max-age=60' : 'private, no-cache');
    // Unlike `end`, `send` adds the ETag and answers 304.
    res.send(json);
  } else {
    res.set('Cache-Control', 'no-store');
    res.end(json);
  }
}
