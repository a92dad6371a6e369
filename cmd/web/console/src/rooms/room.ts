import type { ComponentType } from 'preact';
import type { ConsoleApi } from '../session/console-api.ts';

export interface RoomProps {
  api: ConsoleApi;
}

export interface ViewProps extends RoomProps {
  /** Those of the room's address: `#/dashboards?uid=chat-path`. */
  parameters: URLSearchParams;
}

/** One page of the console. */
export interface Room {
  /** In the address: `#/streams`. */
  id: string;
  title: string;
  View: ComponentType<ViewProps>;
}
