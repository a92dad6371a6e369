import { actSubcommand, tableSubcommand } from './room.ts';

interface Person {
  id: string;
}

export const bans = tableSubcommand({
  name: 'bans',
  summary: 'list the users banned from the service',
  help: '  --page TOKEN       a further page',
  parameters: { page: 'pageToken' },
  path: 'bans',
  rows: 'bans',
  columns: {
    USER: (ban) => (ban.user as Person).id,
    REASON: (ban) => ban.reason,
    BY: (ban) => (ban.bannedBy as Person).id,
    SINCE: (ban) => ban.createdAt,
    UNTIL: (ban) => ban.expiresAt ?? '',
  },
});

export const ban = actSubcommand({
  name: 'ban',
  summary: 'ban a user from the service, which ends all streams of the user',
  help: '  --user ID          the user\n  --reason TEXT      for moderators\n  --until TIME       when the ban ends, as in 2030-01-31T12:00:00Z (default: when it is lifted)',
  required: ['user', 'reason'],
  optional: ['until'],
  path: ({ user = '' }) => `users/${encodeURIComponent(user)}/ban`,
  body: ({ reason, until = '' }) => ({ reason, expiresAt: until }),
});

export const unban = actSubcommand({
  name: 'unban',
  summary: 'lift a ban from the service',
  help: '  --user ID          the user',
  required: ['user'],
  path: ({ user = '' }) => `users/${encodeURIComponent(user)}/unban`,
});
