import type { Route } from '../route.ts';

/** Returns the metrics as a scraper reads them. */
export type Expose = () => Promise<{ contentType: string; text: string }>;

export function metricsRoutes(expose: Expose): Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      access: 'scraper',
      async handle(_request, response) {
        const { contentType, text } = await expose();
        // Not `send`: it would change the parameters of the content type.
        response.setHeader('content-type', contentType);
        response.end(text);
      },
    },
  ];
}
