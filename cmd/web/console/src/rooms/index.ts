import { audit } from './audit.tsx';
import { background } from './background.tsx';
import { bans } from './bans.tsx';
import { chats } from './chats.tsx';
import { dashboards } from './dashboards.tsx';
import { nodes } from './nodes.tsx';
import { overview } from './overview.tsx';
import type { Room } from './room.ts';
import { settings } from './settings.tsx';
import { streams } from './streams.tsx';
import { users } from './users.tsx';

/** In the order of the navigation. The first one is shown first. */
export const rooms: readonly Room[] = [
  ...[overview, dashboards, nodes, streams, chats, users],
  ...[bans, audit, background, settings],
];
