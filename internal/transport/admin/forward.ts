import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { Refusal } from './refusal.ts';

/** Headers of a request that the other process needs: who asks, and what the body is. */
const sentHeaders = ['authorization', 'content-type', 'content-length', 'user-agent', 'traceparent', 'tracestate'];
const answeredHeaders = ['content-type', 'content-disposition', 'www-authenticate', 'allow'];

/** Answers with what the process at the socket answers to the same request about itself. Throws `Refusal` if it cannot be reached. */
export async function forward(
  socketPath: string,
  request: Request,
  response: Response,
  signal: AbortSignal,
): Promise<void> {
  const { method, path, query, ip } = request;
  const parameters = new URLSearchParams(query as Record<string, string>);
  parameters.delete('worker');
  const headers = {
    ...Object.fromEntries(
      sentHeaders.flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : [])),
    ),
    ...(ip !== undefined && { 'x-forwarded-for': ip }),
  };
  const outgoing = send({ socketPath, method, path: `${path}?${parameters}`, headers, agent: false, signal });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  // A body that ends early, or is refused before its end, shows in the answer.
  request.pipe(outgoing);
  const [answer] = await answered.catch((cause) => {
    if (signal.aborted) throw cause;
    throw new Refusal(503, 'the worker has not answered: it may have ended');
  });
  response.status(answer.statusCode ?? 502);
  for (const name of answeredHeaders) {
    const value = answer.headers[name];
    if (value !== undefined) response.setHeader(name, value);
  }
  await pipeline(answer, response, { signal });
}
