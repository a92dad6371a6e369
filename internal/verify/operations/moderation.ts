import { setTimeout as sleep } from 'node:timers/promises';
import { serviceUse } from '../checker/checker.ts';
import type { Operation } from './operation.ts';

/** How long a ban lasts, in milliseconds. */
const banMs = { least: 300, most: 2_000 };

/** Administrators ban users of the run for a while. */
export const moderation: readonly Operation[] = [
  {
    name: 'ban a user from the service for a while',
    asks: ['BanUser', 'UnbanUser'],
    weight: 3,
    prepare({ actor }) {
      const { world, random, user, isAdmin } = actor;
      const userId = random.pick([...world.sturdy].filter((id) => id !== user && id !== world.auditor));
      if (!isAdmin || userId === undefined) return undefined;
      const right = serviceUse(userId);
      return async () => {
        world.sturdy.delete(userId);
        const request = { userId, reason: 'by chance' };
        await actor.call('banUser', request, { effects: [{ kind: 'withdraw', right }] });
        await sleep(banMs.least + random.below(banMs.most - banMs.least));
        // Nobody else lifts the ban.
        for (let attempt = 0; attempt < 20; attempt += 1) {
          const lifted = await actor.call('unbanUser', { userId }, { effects: [{ kind: 'grant', right }] });
          if (lifted) break;
          await sleep(200);
        }
        world.sturdy.add(userId);
      };
    },
  },
];
