import { pageRoute } from '../console-parts.ts';
import { forward } from '../forward.ts';
import { parameter } from '../parameter.ts';
import { invalidFields, Refusal } from '../refusal.ts';
import type { Route } from '../route.ts';
import { whenGone } from '../when-gone.ts';
import type { WorkerSockets } from './debug.ts';

/**
 * The console of a process that has no database but workers: each request is answered by the worker that its parameter `worker` names, or by the first one
 * that is ready. The worker checks who the administrator is.
 */
export function forwardedConsole(workers: WorkerSockets): Route[] {
  const find = (given: string | undefined): string => {
    if (given === undefined) {
      const sockets = Array.from({ length: workers.count }, (_, index) => workers.find(index + 1));
      const first = sockets.find((socket) => socket !== undefined);
      if (first === undefined) throw new Refusal(503, 'no worker is ready');
      return first;
    }
    const number = /^\d{1,9}$/.test(given) ? Number(given) : 0;
    if (number < 1 || number > workers.count) {
      const description = `must be a whole number from 1 to ${workers.count}`;
      throw invalidFields([{ field: 'worker', description }]);
    }
    const socket = workers.find(number);
    if (socket === undefined) throw new Refusal(503, `worker ${number} is not ready`);
    return socket;
  };
  const routes = (['GET', 'POST'] as const).map(
    (method): Route => ({
      method,
      path: '/admin/api/*path',
      access: 'own page',
      handle: (request, response) => forward(find(parameter(request, 'worker')), request, response, whenGone(response)),
    }),
  );
  return [pageRoute, ...routes];
}
