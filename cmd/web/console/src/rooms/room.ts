import type { ComponentType } from 'preact';
import type { ConsoleApi } from '../session/console-api.ts';

export interface RoomProps {
  api: ConsoleApi;
}

/** One page of the console. */
export interface Room {
  /** In the address: `#/streams`. */
  id: string;
  title: string;
  View: ComponentType<RoomProps>;
}
