import type { ChatRecord, MessageRecord } from '../history/history-record.ts';
import type { Ledger } from './ledger.ts';
import type { Sends } from './sends.ts';
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
    const { system, sender } = message;
    if (!system) {
      const role = roles.get(sender);
      if (!users.has(sender) || (role !== undefined && role !== 'READER')) continue;
      const why = reason.get(sender);
      const sent = sends.find(ledger.chatId, message.clientMessageId, sender);
      if (sends.areNumberedLater && why && sent && sent.firstBegin <= why.at + lateMs) continue;
      const text = role ? `${sender} could only read` : `${sender} was not a member`;
      report('without-role', text, [...(why ? [why] : [chat]), message], ledger.chatId);
      return;
    }
    for (const user of applySystem(roles, message)) reason.set(user, message);
  }
}

/** Applies a system message to the roles; returns whom it concerned. */
function applySystem(roles: Map<string, string>, { system, sender }: MessageRecord): string[] {
  const { event, users, role } = system!;
  switch (event) {
    case 'chatCreated':
      if (roles.size === 0) roles.set(sender, 'OWNER');
      return [sender];
    case 'membersAdded':
      for (const user of users) roles.set(user, 'MEMBER');
      return users;
    case 'memberJoined':
      roles.set(sender, 'MEMBER');
      return [sender];
    case 'memberRemoved':
      for (const user of users) roles.delete(user);
      return users;
    case 'memberLeft':
      roles.delete(sender);
      return [sender];
    case 'ownerChanged':
      for (const user of users) roles.set(user, 'OWNER');
      return users;
    case 'roleChanged':
      for (const user of users) roles.set(user, role ?? 'MEMBER');
      return users;
    // A later service may record more.
    default:
      return [];
  }
}
