import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import type { Diagnostics } from '../diagnostics.ts';
import { forward } from '../forward.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { readNumbers } from '../query.ts';
import { Refusal } from '../refusal.ts';
import type { Route } from '../route.ts';
import { whenGone } from '../when-gone.ts';

/** The processes that this one has started, from number 1. */
export interface WorkerSockets {
  count: number;
  /** Where a worker answers; undefined while it is not ready. */
  find(worker: number): string | undefined;
}

const noWorkers: WorkerSockets = { count: 0, find: () => undefined };

/** How long a client may take to read a heap snapshot, in milliseconds. The process keeps it in memory meanwhile. */
const snapshotTimeoutMs = 600_000;

const limits = { cpuProfile: { min: 1, max: 60, fallback: 10 }, eventLoop: { min: 1, max: 60, fallback: 1 } };

/**
 * Reports of a process about itself: this one, which is worker 0, or one of its workers. Only one snapshot or profile is taken at a time. Each ends when
 * its client disconnects.
 */
export function debugRoutes(diagnostics: Diagnostics, workers = noWorkers): Route[] {
  const heavy = new OneAtATime();
  const worker = { min: 0, max: workers.count, fallback: 0 };

  /** Answers with what `own` returns, or what the worker answers to the same request. */
  const answer = (
    number: number,
    own: () => Promise<void>,
    request: Request,
    response: Response,
    signal: AbortSignal,
  ) => {
    if (number === 0) return own();
    const socket = workers.find(number);
    if (socket === undefined) throw new Refusal(503, `worker ${number} is not ready`);
    return forward(socket, request, response, signal);
  };

  return [
    {
      method: 'POST',
      path: '/debug/heap-snapshot',
      access: 'operator',
      handle(request, response) {
        const { worker: number } = readNumbers(request, { worker });
        const signal = AbortSignal.any([whenGone(response), AbortSignal.timeout(snapshotTimeoutMs)]);
        const own = () => {
          const snapshot = diagnostics.heapSnapshot();
          attach(response, 'heapsnapshot');
          return pipeline(snapshot, response, { signal });
        };
        return heavy.run('a heap snapshot', () => answer(number, own, request, response, signal));
      },
    },
    {
      method: 'POST',
      path: '/debug/cpu-profile',
      access: 'operator',
      handle(request, response) {
        const { worker: number, seconds } = readNumbers(request, { seconds: limits.cpuProfile, worker });
        const signal = whenGone(response);
        const own = async () => {
          const profile = await diagnostics.cpuProfile(seconds, signal);
          attach(response, 'cpuprofile');
          response.end(profile);
        };
        return heavy.run('a CPU profile', () => answer(number, own, request, response, signal));
      },
    },
    {
      method: 'GET',
      path: '/debug/event-loop',
      access: 'operator',
      async handle(request, response) {
        const { worker: number, seconds } = readNumbers(request, { seconds: limits.eventLoop, worker });
        const signal = whenGone(response);
        const own = async () => void response.json(await diagnostics.eventLoop(seconds, signal));
        await answer(number, own, request, response, signal);
      },
    },
  ];
}

function attach(response: Response, extension: string): void {
  const time = new Date().toISOString().replace(/[:.]/g, '-');
  response.type('application/json').attachment(`chat-${process.pid}-${time}.${extension}`);
}
