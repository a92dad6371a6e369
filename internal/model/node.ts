/** A process of the service, as it tells others. */
export interface Node {
  id: string;
  host: string;
  pid: number;
  version: string;
  roles: readonly string[];
  startedAt: Date;
  /** Open streams. */
  sessions: number;
  /** Open connections of clients. */
  connections: number;
  ready: boolean;
}

/** A process that was heard of lately. */
export interface SeenNode extends Node {
  seenAt: Date;
}
