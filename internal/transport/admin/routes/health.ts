import type { Route } from '../route.ts';

/** `notReady` says why the process is not ready to serve clients; empty if it is. */
export function healthRoutes(notReady: () => string[]): Route[] {
  return [
    {
      method: 'GET',
      path: '/livez',
      access: 'anybody',
      handle: (_request, response) => void response.type('text/plain').send('ok\n'),
    },
    {
      method: 'GET',
      path: '/readyz',
      access: 'anybody',
      handle(_request, response) {
        const reasons = notReady();
        const ready = reasons.length === 0;
        response.status(ready ? 200 : 503).json({ ready, reasons });
      },
    },
  ];
}
