import { overview } from './overview.tsx';
import type { Room } from './room.ts';

/** In the order of the navigation. The first one is shown first. */
export const rooms: readonly Room[] = [overview];
