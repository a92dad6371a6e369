import type { ChatRecord, MessageRecord } from '../history/history-record.ts';
import type { Ledger } from './ledger.ts';
import type { Sends } from './sends.ts';
import { applyToRoles, concernedUsers } from './system-messages.ts';
import type { Report } from './violation.ts';

interface Case {
  ledger: Ledger;
  chat: ChatRecord;
  sends: Sends;
  users: ReadonlySet<string>;
  /** How long a message that is numbered later may have waited for that, in milliseconds. */
  lateMs: number;
}

/**
 * Goes through a whole chat in its own order, keeping account of who is a member with what role, and reports every message whose sender
 * was not one, or one who may only read. What is acknowledged before it has a number was judged then: it may come after the end of the right.
 */
export function checkMembers({ ledger, chat, sends, users, lateMs }: Case, report: Report): void {
  const roles = new Map<string, string>(Object.entries(chat.members ?? {}));
  const reason = new Map<string, MessageRecord>();
  const head = ledger.audit?.head ?? 0;
  for (let seq = 1; seq <= head; seq += 1) {
    const message = ledger.messages.get(seq);
    // Whoever joined or left at a number that is missing, nobody can say.
    if (!message) return;
    const { sender } = message;
    if (!message.system) {
      const role = roles.get(sender);
      if (!users.has(sender) || (role !== undefined && role !== 'READER')) continue;
      const why = reason.get(sender);
      const sent = sends.find(ledger.chatId, message.clientMessageId, sender);
      if (sends.areNumberedLater && why && sent && sent.firstBegin <= why.at + lateMs) continue;
      const text = role ? `${sender} could only read` : `${sender} was not a member`;
      report('without-role', text, [...(why ? [why] : [chat]), message], ledger.chatId);
      return;
    }
    applyToRoles(roles, message);
    for (const user of concernedUsers(message)) reason.set(user, message);
  }
}
