import type { Request, Response } from 'express';

/**
 * Who may use a route: anybody who can reach the port; a scraper, who needs the token or certificate if one is set; an operator, who without either
 * must also be on this machine; the console's own page, or a program; an administrator, whose access token has the role `admin`, by that page or a
 * program.
 */
export type Access = 'anybody' | 'scraper' | 'operator' | 'own page' | 'admin';

/** One thing that can be asked for at the admin port. */
export interface Route {
  method: 'GET' | 'POST';
  /** As Express matches it. */
  path: string;
  access: Access;
  /** Answers the request. May throw `Refusal`; any other error is logged and answered by 500. */
  handle(request: Request, response: Response): void | Promise<void>;
}

/** Checks who asks; notes an administrator in `response.locals.principal`. Throws `Refusal` if the request may not be answered. */
export type Guard = (request: Request, response: Response) => void | Promise<void>;
