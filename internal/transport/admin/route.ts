import type { Request, Response } from 'express';

/**
 * Who may use a route: anybody who can reach the port; a scraper, who needs the token or certificate if one is set; or an operator, who without either
 * must also be on this machine.
 */
export type Access = 'anybody' | 'scraper' | 'operator';

/** One thing that can be asked for at the admin port. */
export interface Route {
  method: 'GET' | 'POST';
  /** As Express matches it. */
  path: string;
  access: Access;
  /** Answers the request. May throw `Refusal`; any other error is logged and answered by 500. */
  handle(request: Request, response: Response): void | Promise<void>;
}

/** Says who asks. Throws `Refusal` if the request may not be answered. */
export type Guard = (request: Request) => void;
