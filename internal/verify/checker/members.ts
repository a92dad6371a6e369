import type { ChangeRecord, ChatRecord, MessageRecord } from '../history/history-record.ts';
import type { Changes } from './changes.ts';
import type { Ledger } from './ledger.ts';
import type { Sends } from './sends.ts';
import { applyToRoles, concernedUsers } from './system-messages.ts';
import type { Report } from './violation.ts';

interface Case {
  ledger: Ledger;
  chat: ChatRecord;
  sends: Sends;
  changes: Changes;
  users: ReadonlySet<string>;
  /** How long a message that is acknowledged before it has a number may wait for the number, in milliseconds. */
  lateMs: number;
  /** When memberships were lost because the database went back; undefined if never. */
  lostAt: number | undefined;
}

/**
 * Goes through a whole chat in its order, tracks the members and their roles, and reports the first message or change by a user who was not a member
 * or could only read, and changes of messages that are not the user's own, unless the user moderates the chat. The service checks a message when it
 * acknowledges it: with a number that is assigned later, the message may follow the end of its sender's right.
 */
export function checkMembers({ ledger, chat, sends, changes, users, lateMs, lostAt }: Case, report: Report): void {
  const roles = new Map<string, string>(Object.entries(chat.members ?? {}));
  const reason = new Map<string, MessageRecord>();
  const made = new Map(changes.ofChat(ledger.chatId).map((change) => [change.seq, change]));
  const last = ledger.audit?.last ?? 0;
  for (let seq = 1; seq <= last; seq += 1) {
    const message = ledger.messages.get(seq);
    // Changes and hidden messages change no members.
    if (ledger.hasNoMessage(seq)) {
      const change = made.get(seq);
      if (change && isSure(changes, change))
        checkChange({ ledger, chat, change, role: roles.get(change.user) }, report);
      continue;
    }
    // The missing message may have changed members: from here on nothing can be said.
    if (!message) return;
    const { sender } = message;
    if (!message.system) {
      const role = roles.get(sender);
      if (!users.has(sender) || (role !== undefined && role !== 'READER')) continue;
      const why = reason.get(sender);
      const sent = sends.find(ledger.chatId, message.clientMessageId, sender);
      const endedAt = Math.max(why?.at ?? Number.NEGATIVE_INFINITY, lostAt ?? Number.NEGATIVE_INFINITY);
      if (sends.areNumberedLater && sent && sent.firstBegin <= endedAt + lateMs) continue;
      const text = role ? `${sender} could only read` : `${sender} was not a member`;
      report('without-role', text, [...(why ? [why] : [chat]), message], ledger.chatId);
      return;
    }
    applyToRoles(roles, message);
    for (const user of concernedUsers(message)) reason.set(user, message);
  }
}

/** Whether the acknowledgement is surely that of this number: deleting a deleted message returns the number of another's deletion. */
function isSure(changes: Changes, { what, messageId }: ChangeRecord): boolean {
  return what === 'edit' || changes.ofMessage(messageId).filter((one) => one.what === 'delete').length === 1;
}

interface ChangeCase {
  ledger: Ledger;
  chat: ChatRecord;
  change: ChangeRecord;
  /** The user's role when the change was made. */
  role: string | undefined;
}

/** Senders may change their own messages; moderators of groups and rooms may delete those of others, and administrators all. */
function checkChange({ ledger, chat, change, role }: ChangeCase, report: Report): void {
  const { what, user, messageId, byAdmin } = change;
  if (what === 'delete' && byAdmin) return;
  const message = ledger.findById(messageId);
  const shown = message ? [message, change] : [change];
  if (role === undefined || (what === 'edit' && role === 'READER')) {
    const text = role ? `${user} could only read` : `${user} was not a member`;
    report('without-role', text, shown, ledger.chatId);
    return;
  }
  const moderates = chat.type !== 'DIRECT' && (role === 'OWNER' || role === 'ADMIN');
  if (!message || message.sender === user || (what === 'delete' && moderates)) return;
  report('changed-by-other', `${user} is ${role}, and ${message.sender} sent it`, shown, ledger.chatId);
}
