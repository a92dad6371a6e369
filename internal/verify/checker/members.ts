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
  /** How long a message that is acknowledged before it has a number may wait for the number, in milliseconds. */
  lateMs: number;
}

/**
 * Goes through a whole chat in its order, tracks the members and their roles, and reports the first message whose sender was not a member or
 * could only read. The service checks a message when it acknowledges it: with a number that is assigned later, the message may follow the
 * end of its sender's right.
 */
export function checkMembers({ ledger, chat, sends, users, lateMs }: Case, report: Report): void {
  const roles = new Map<string, string>(Object.entries(chat.members ?? {}));
  const reason = new Map<string, MessageRecord>();
  const head = ledger.audit?.head ?? 0;
  for (let seq = 1; seq <= head; seq += 1) {
    const message = ledger.messages.get(seq);
    // The missing message may have changed members: from here on nothing can be said.
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
