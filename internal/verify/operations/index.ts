import { changing } from './changing.ts';
import { chats } from './chats.ts';
import { connections } from './connections.ts';
import { members } from './members.ts';
import { moderation } from './moderation.ts';
import type { Operation } from './operation.ts';
import { reacting } from './reacting.ts';
import { reading } from './reading.ts';
import { receipts } from './receipts.ts';
import { sending } from './sending.ts';
import { streaming } from './streaming.ts';
import { threads } from './threads.ts';

/** Everything that clients do. A new kind of operation is one more item in one of these lists. */
export const operations: readonly Operation[] = [
  ...sending,
  ...changing,
  ...reacting,
  ...streaming,
  ...reading,
  ...chats,
  ...members,
  ...moderation,
  ...connections,
  ...threads,
  ...receipts,
];
