import type { Request, Response } from 'express';

/** What the response metadata becomes besides `Grpc-Metadata-*`. */
const bare = new Set(['x-trace-id', 'x-request-id']);
/** What gRPC's own transport says. */
const dropped = /^(grpc-|content-type$|date$|:)/;

/** Response metadata as headers: `Grpc-Metadata-*`, and bare names for the trace and request ids. */
export function setMetadata(res: Response, metadata: ReadonlyMap<string, string>): void {
  for (const [name, value] of metadata) {
    if (bare.has(name)) res.set(name, value);
    else if (!dropped.test(name)) res.set(`Grpc-Metadata-${name}`, value);
  }
}

/**
 * Sends the JSON. Successful reads get an ETag and may be revalidated; only public documents may be kept by shared caches, and nothing else
 * by any cache.
 */
export function answer(req: Request, res: Response, status: number, json: string): void {
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
