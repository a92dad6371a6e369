import { roomName } from '../../model/chat.ts';
import type { EnvReader } from '../reading/env-reader.ts';

/** Public rooms. */
export interface RoomsConfig {
  /** Rooms that always exist and have no owner. */
  names: string[];
  /** Whether joining a room that does not exist creates it. */
  createOnJoin: boolean;
}

export function readRooms(read: EnvReader): RoomsConfig {
  return {
    names: read.list('ROOMS', ['global'], roomName, 'room names: letters, digits, "_", "-" and "."'),
    createOnJoin: read.boolean('ROOMS_CREATE_ON_JOIN', true),
  };
}
