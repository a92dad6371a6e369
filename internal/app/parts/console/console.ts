import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import { Transcoder } from '../../../../pkg/transcoder/transcoder.ts';
import { Operations } from '../../../transport/admin/console/operations.ts';
import type { UnaryCaller } from '../../../transport/shared/calls/unary-caller.ts';
import { webPageRouter } from '../../../transport/shared/http/web-page.ts';

/** The folder in which `make web` builds the pages. */
const pages = fileURLToPath(new URL('../../../../cmd/web/dist', import.meta.url));
const descriptors = new URL('../../../../pkg/api/descriptors.binpb', import.meta.url);

/** Serves the console's page. */
export function consolePage(): RequestHandler {
  return webPageRouter(pages, { path: '/admin/', file: 'console/index.html' });
}

/** Calls the operations of these services, which are full names. */
export function consoleOperations(services: readonly string[], caller: UnaryCaller): Operations {
  return new Operations({ transcoder: Transcoder.create(readFileSync(descriptors), services), caller });
}
