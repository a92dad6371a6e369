import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { type RequestHandler, type Response, Router } from 'express';

/** The page may load only its own files and connect only to its own origin. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** In order of preference: Brotli files are smaller. */
const compressions = [
  { encoding: 'br', ending: '.br' },
  { encoding: 'gzip', ending: '.gz' },
];

/** One of the pages that `make web` builds. */
interface WebPage {
  /** Where it is served. */
  path: string;
  /** Its file in the folder. */
  file: string;
}

/**
 * Serves a web page that `make web` builds into `folder`: the page at its path, which browsers revalidate on each load, and the files below `/assets`,
 * cached for a year because their names contain a hash of their content. Until the page is built, its path answers 404 and says how to build it.
 */
export function webPageRouter(folder: string, { path, file }: WebPage = { path: '/', file: 'index.html' }): Router {
  const router = Router({ caseSensitive: true, strict: true });
  const assets = join(folder, 'assets');
  router.get(path, (_req, res, next) => {
    if (!existsSync(join(folder, file))) return notBuilt(res);
    res.set({ 'Content-Security-Policy': contentSecurityPolicy, 'Content-Type': 'text/html; charset=utf-8' });
    send(res, { root: folder, name: file, cacheControl: 'no-cache' }, next);
  });
  router.get('/assets/:name', (req, res, next) => {
    const { name } = req.params;
    const type = types[extname(name)];
    if (type === undefined || !/^[\w.-]+$/.test(name) || !existsSync(join(assets, name))) return next();
    res.set('Content-Type', type).vary('Accept-Encoding');
    const compressed = compressions.find(
      ({ encoding, ending }) => req.acceptsEncodings(encoding) && existsSync(join(assets, name + ending)),
    );
    if (compressed) res.set('Content-Encoding', compressed.encoding);
    const cacheControl = 'public, max-age=31536000, immutable';
    send(res, { root: assets, name: name + (compressed?.ending ?? ''), cacheControl }, next);
  });
  return router;
}

interface File {
  root: string;
  name: string;
  cacheControl: string;
}

function send(res: Response, { root, name, cacheControl }: File, next: Parameters<RequestHandler>[2]): void {
  res.sendFile(name, { root, cacheControl: false, headers: { 'Cache-Control': cacheControl } }, (error) => {
    if (error) next(error);
  });
}

function notBuilt(res: Response): void {
  res
    .status(404)
    .set('Cache-Control', 'no-store')
    .type('text/plain')
    .send('The web page has not been built here: run `make web` and load this again. The API is described at /docs.\n');
}
