import type { ChatServiceImplementation } from '../../../../pkg/api/chat/v1/chat.ts';
import { toWireMember } from '../../../converter/chat.ts';
import { normalizeId } from '../../../converter/command.ts';
import { fromWireRole, toWireAuditEvent, toWireBan } from '../../../converter/moderation.ts';
import { fromPageToken, isNumber, isString, toPageToken } from '../../../converter/page-token.ts';
import { principalOf } from '../../../interceptor/call.ts';
import type { ModerationService } from '../../../service/chats/moderation-service.ts';
import type { CallExt } from '../../grpc/middleware.ts';
import { pageLimit } from './page-limit.ts';

type Moderation =
  | 'updateMember'
  | 'banMember'
  | 'unbanMember'
  | 'listBans'
  | 'banUser'
  | 'unbanUser'
  | 'listBannedUsers'
  | 'listAuditEvents';

/** The part of chat.v1.ChatService for those who keep order. Requests have been validated. */
export function createModerationHandlers(
  moderation: ModerationService,
  { maxPageSize }: { maxPageSize: number },
): Pick<ChatServiceImplementation<CallExt>, Moderation> {
  const toLimit = pageLimit(maxPageSize);

  return {
    async updateMember({ chatId, userId, role: wireRole }, { call }) {
      const role = fromWireRole(wireRole);
      if (!role) throw new TypeError('an unspecified role passed the validation');
      const member = await moderation.updateMember(principalOf(call), normalizeId(chatId), userId, role);
      return { member: toWireMember(member) };
    },

    async banMember({ chatId, ...newBan }, { call }) {
      return { ban: toWireBan(await moderation.banMember(principalOf(call), normalizeId(chatId), newBan)) };
    },

    async unbanMember({ chatId, userId }, { call }) {
      await moderation.unbanMember(principalOf(call), normalizeId(chatId), userId);
      return {};
    },

    async listBans({ chatId, pageSize, pageToken }, { call }) {
      const after = fromPageToken(pageToken, isString);
      const page = await moderation.listBans(principalOf(call), chatId, toLimit(pageSize), after);
      return { bans: page.items.map(toWireBan), nextPageToken: toPageToken(page.next) };
    },

    async banUser(newBan, { call }) {
      return { ban: toWireBan(await moderation.banUser(principalOf(call), newBan)) };
    },

    async unbanUser({ userId }, { call }) {
      await moderation.unbanUser(principalOf(call), userId);
      return {};
    },

    async listBannedUsers({ pageSize, pageToken }) {
      const page = await moderation.listBannedUsers(toLimit(pageSize), fromPageToken(pageToken, isString));
      return { bans: page.items.map(toWireBan), nextPageToken: toPageToken(page.next) };
    },

    async listAuditEvents({ pageSize, pageToken, chatId, actorId }) {
      const filter = { ...(chatId !== undefined && { chatId }), ...(actorId !== '' && { actorId }) };
      const page = await moderation.listAuditEvents(filter, toLimit(pageSize), fromPageToken(pageToken, isNumber));
      return { events: page.items.map(toWireAuditEvent), nextPageToken: toPageToken(page.next) };
    },
  };
}
