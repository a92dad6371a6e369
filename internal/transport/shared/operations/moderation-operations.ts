import type { ChatServiceImplementation } from '../../../../pkg/api/chat/v1/chat.ts';
import { toWireAuditEvent } from '../../../converter/audit-event.ts';
import { toWireBan } from '../../../converter/ban.ts';
import { normalizeId } from '../../../converter/command.ts';
import { fromWireRole, toWireMember } from '../../../converter/member.ts';
import { fromPageToken, isNumber, isString, toPageToken } from '../../../converter/page-token.ts';
import type { ModerationService } from '../../../service/chats/moderation-service.ts';
import type { OperationTable } from './operation.ts';

type Moderation =
  | 'updateMember'
  | 'banMember'
  | 'unbanMember'
  | 'listBans'
  | 'banUser'
  | 'unbanUser'
  | 'listBannedUsers'
  | 'listAuditEvents';

/** The operations of chat.v1.ChatService for moderators and administrators. */
export const moderationOperations = {
  updateMember: {
    run: async ({ moderation }, { chatId, userId, role: wireRole }, { caller }) => {
      const role = fromWireRole(wireRole);
      if (!role) throw new TypeError('an unspecified role passed the validation');
      const member = await moderation.updateMember(caller, normalizeId(chatId), userId, role);
      return { member: toWireMember(member) };
    },
  },

  banMember: {
    run: async ({ moderation }, { chatId, ...newBan }, { caller }) => ({
      ban: toWireBan(await moderation.banMember(caller, normalizeId(chatId), newBan)),
    }),
  },

  unbanMember: {
    run: async ({ moderation }, { chatId, userId }, { caller }) => {
      await moderation.unbanMember(caller, normalizeId(chatId), userId);
      return {};
    },
  },

  listBans: {
    run: async ({ moderation }, { chatId, pageSize, pageToken }, { caller, limit }) => {
      const after = fromPageToken(pageToken, isString);
      const page = await moderation.listBans(caller, chatId, limit(pageSize), after);
      return { bans: page.items.map(toWireBan), nextPageToken: toPageToken(page.next) };
    },
  },

  banUser: {
    run: async ({ moderation }, newBan, { caller }) => ({ ban: toWireBan(await moderation.banUser(caller, newBan)) }),
  },

  unbanUser: {
    run: async ({ moderation }, { userId }, { caller }) => {
      await moderation.unbanUser(caller, userId);
      return {};
    },
  },

  listBannedUsers: {
    run: async ({ moderation }, { pageSize, pageToken }, { limit }) => {
      const page = await moderation.listBannedUsers(limit(pageSize), fromPageToken(pageToken, isString));
      return { bans: page.items.map(toWireBan), nextPageToken: toPageToken(page.next) };
    },
  },

  listAuditEvents: {
    run: async ({ moderation }, { pageSize, pageToken, chatId, actorId }, { limit }) => {
      const filter = { ...(chatId !== undefined && { chatId }), ...(actorId !== '' && { actorId }) };
      const page = await moderation.listAuditEvents(filter, limit(pageSize), fromPageToken(pageToken, isNumber));
      return { events: page.items.map(toWireAuditEvent), nextPageToken: toPageToken(page.next) };
    },
  },
} satisfies OperationTable<Pick<ChatServiceImplementation, Moderation>, { moderation: ModerationService }>;
