import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';

/** Answers with what the process at the socket answers to the same request about itself. */
export async function forward(
  socketPath: string,
  { method, path, query }: Request,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  const parameters = new URLSearchParams(query as Record<string, string>);
  parameters.delete('worker');
  const outgoing = send({ socketPath, method, path: `${path}?${parameters}`, agent: false, signal });
  const [answer] = (await once(outgoing.end(), 'response')) as [IncomingMessage];
  response.status(answer.statusCode ?? 502);
  for (const name of ['content-type', 'content-disposition']) {
    const value = answer.headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  await pipeline(answer, response, { signal });
}
