import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router } from 'express';

/** The files of Swagger UI that the page loads. No others are served. */
const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

// Relative links, so that the page works below any path of a proxy.
const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Chat service: API</title>
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

/** `validatorUrl: null` keeps the document from being sent to swagger.io; without `persistAuthorization` a reload forgets the token. */
const start = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
`;

/** Allows `data:` images because Swagger UI has some of its icons inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the OpenAPI document at `/openapi.json`, and at `/docs` a page to read and try it, which loads nothing from other hosts. */
export function docsRouter(document: string): Router {
  const router = Router({ caseSensitive: true, strict: true });
  router.get('/openapi.json', constant('application/json; charset=utf-8', document));
  router.get('/docs', contentPolicy, constant('text/html; charset=utf-8', page));
  router.get('/docs/', (_req, res) => res.redirect(308, '../docs'));
  router.get('/docs/start.js', constant('text/javascript; charset=utf-8', start));
  for (const name of assets) {
    const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`));
    router.get(`/docs/${name}`, (_req, res, next) => {
      res.sendFile(path, { cacheControl: false, headers: { 'Cache-Control': revalidated } }, (error) => {
        if (error) next(error);
      });
    });
  }
  return router;
}

const revalidated = 'public, no-cache';

function constant(type: string, text: string): RequestHandler {
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  return (_req, res) => {
    res.set({ 'Content-Type': type, 'Cache-Control': revalidated, ETag: etag }).send(text);
  };
}

const contentPolicy: RequestHandler = (_req, res, next) => {
  res.set('Content-Security-Policy', contentSecurityPolicy);
  next();
};
