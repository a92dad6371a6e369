import { parameter } from '../../parameter.ts';
import { invalidFields, Refusal } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import type { Operations } from '../operations.ts';
import { signInRoutes } from './sign-in.ts';

/** The rooms of the console, by their names in the page's address. */
export const roomNames = [
  'overview',
  'dashboards',
  'nodes',
  'streams',
  'chats',
  'users',
  'bans',
  'audit',
  'background',
  'settings',
] as const;

export type RoomName = (typeof roomNames)[number];

/** The routes of each room that a process serves. */
export type Rooms = Partial<Record<RoomName, readonly Route[]>>;

interface Options {
  /** Completes "this process is …": what it is, in place of the chat service. */
  program: string;
  rooms: Rooms;
  /** By which administrators sign in. */
  operations: Operations;
  /** How many processes the port stands for. */
  workers: number;
}

/**
 * The console's API: signing in, and the rooms of this process. Routes of other rooms are refused, with what is served here and who serves the others.
 */
export function consoleRoutes({ program, rooms, operations, workers }: Options): Route[] {
  const served = roomNames.filter((name) => rooms[name]);
  const routes = [...signInRoutes(operations, { program, rooms: served, workers }), ...Object.values(rooms).flat()];
  const all = served.length === roomNames.length ? routes : [...routes, ...elsewhere(program, served)];
  return all.map((route) => ({
    ...route,
    handle(request, response) {
      // The process that has workers takes the parameter out.
      if (parameter(request, 'worker') !== undefined)
        throw invalidFields([{ field: 'worker', description: 'must not be given: this process has no workers' }]);
      return route.handle(request, response);
    },
  }));
}

function elsewhere(program: string, served: readonly RoomName[]): Route[] {
  const message = `this process is ${program}, whose console has ${served.join(', ')}: ask a process with the chat service`;
  return (['GET', 'POST'] as const).map((method) => ({
    method,
    path: '/admin/api/*path',
    access: 'admin',
    handle() {
      throw new Refusal(404, message);
    },
  }));
}
