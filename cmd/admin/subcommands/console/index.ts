import type { Subcommand } from '../subcommand.ts';
import { audit } from './audit.ts';
import { background, replay } from './background.ts';
import { ban, bans, unban } from './bans.ts';
import { banMember, chat, chats, deleteChat, rooms } from './chats.ts';
import { deleteMessage, messages } from './messages.ts';
import { nodes } from './nodes.ts';
import { overview } from './overview.ts';
import { settings } from './settings.ts';
import { signIn } from './sign-in.ts';
import { closeStream, streams } from './streams.ts';
import { revokeSessions, user, users } from './users.ts';

/** The console's, in the order of the usage text. */
export const consoleSubcommands: readonly Subcommand[] = [
  ...[signIn, overview, nodes, streams, closeStream],
  ...[chats, chat, rooms, messages, deleteMessage, banMember, deleteChat],
  ...[users, user, revokeSessions, bans, ban, unban],
  ...[audit, background, replay, settings],
];
