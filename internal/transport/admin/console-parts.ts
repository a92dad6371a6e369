import type { RequestHandler } from 'express';
import type { Authenticate } from './guards.ts';
import type { Route } from './route.ts';

/** The administrators' console: its page, and its API, which only administrators may use. */
export interface Console {
  page: RequestHandler;
  routes: readonly Route[];
  /** Absent: another process checks who asks. */
  authenticate?: Authenticate;
}

/** Leads from `/admin` to the page, whose own addresses are relative. */
export const pageRoute: Route = {
  method: 'GET',
  path: '/admin',
  access: 'anybody',
  handle: (_request, response) => response.redirect('/admin/'),
};
