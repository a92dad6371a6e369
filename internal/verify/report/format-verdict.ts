import type { Verdict } from '../checker/verdict.ts';
import { type Violation, violationKinds } from '../checker/violation.ts';
import type { HistoryRecord } from '../history/history-record.ts';

/** The verdict as text: figures, and for each violation the few records that contradict each other. */
export function formatVerdict(verdict: Verdict): string {
  const { figures, violations, counts, ok } = verdict;
  const seconds = (figures.durationMs / 1_000).toFixed(1);
  const ms = (value: number) => `${Math.round(value)} ms`;
  const lines = [
    '',
    `seed ${figures.seed}, ${seconds} s: ${figures.operations} operations in ${figures.chats} chats (${figures.audited} read completely at the end), ${figures.faults} faults`,
    `acknowledged ${figures.acknowledged} messages and ${figures.changed} changes, messages of unknown outcome ${figures.unknown}; received by ${figures.readers} readers: ${figures.delivered}`,
    `lost ${figures.lost}, doubled ${figures.doubled}, reordered ${figures.reordered}`,
    `longest delay of a live reader ${ms(figures.longestDelayMs)}; ${figures.resumes} resumptions, p50 ${ms(figures.resumeP50Ms)}, p99 ${ms(figures.resumeP99Ms)}`,
    ...violations.flatMap(formatViolation),
    '',
  ];
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} × ${kind}`);
  const fault = unprovenOf(verdict);
  if (!ok) lines.push(`VIOLATED: ${kinds.join(', ')}`);
  else lines.push(fault ? `NOT PROVED: ${fault}` : 'OK: nothing contradicts the promises of the service');
  return lines.join('\n');
}

/** 0: no violation; 1: at least one; 2: none, but too little could be checked. */
export function exitCodeOf(verdict: Verdict): 0 | 1 | 2 {
  if (!verdict.ok) return 1;
  return unprovenOf(verdict) ? 2 : 0;
}

/** Why the absence of violations proves nothing; undefined if it does. */
function unprovenOf({ figures: { acknowledged, unread } }: Verdict): string | undefined {
  if (acknowledged === 0) return 'no message was acknowledged';
  if (unread > 0) return `${unread} of the chats with acknowledged messages could not be read at the end`;
  return undefined;
}

function formatViolation({ kind, promise, chatId, text, records }: Violation): string[] {
  return [
    '',
    `✗ ${violationKinds[kind].says} (${kind}, promise ${promise})${chatId ? `, in chat ${chatId}` : ''}`,
    `  ${text}`,
    ...records.map((record) => `    ${formatRecord(record)}`),
  ];
}

function formatRecord(record: HistoryRecord): string {
  const time = 'begin' in record ? `${seconds(record.begin)}–${seconds(record.at)}` : seconds(record.at);
  return `[${time}] ${describe(record)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}

function describe(record: HistoryRecord): string {
  switch (record.kind) {
    case 'run':
      return `the run began, seed ${record.seed}`;
    case 'send': {
      const answer =
        record.outcome === 'ok' ? `ok: ${record.messageId} at ${record.seq || 'a later number'}` : refusal(record);
      return `${record.client} (${record.user}, ${record.via}) sent ${record.clientMessageId} ${quote(record.text)}: ${answer}`;
    }
    case 'change': {
      const what = record.what === 'edit' ? `edited to ${quote(record.text ?? '')}` : record.hide ? 'hid' : 'deleted';
      const condition = record.ifVersion === undefined ? '' : ` if at ${record.ifVersion}`;
      const answer = record.outcome === 'ok' ? `ok, at ${record.seq}` : refusal(record);
      return `${record.client} (${record.user}, ${record.via}) ${what} ${record.messageId}${condition} as '${record.clientChangeId}': ${answer}`;
    }
    case 'react': {
      const what = record.added ? 'reacted with' : 'took back';
      const answer = record.outcome === 'ok' ? `ok, at ${record.seq || 'no number: nothing changed'}` : refusal(record);
      return `${record.client} (${record.user}, ${record.via}) ${what} ${record.emoji} to ${record.messageId} as '${record.clientChangeId}': ${answer}`;
    }
    case 'stream': {
      const ended = record.end === 'cancelled' ? 'cancelled' : 'ended';
      const what = record.part ? `appended part ${record.part} ${quote(record.text ?? '')} to` : ended;
      const answer = record.outcome === 'ok' ? `ok, at ${record.seq}` : refusal(record);
      return `${record.client} (${record.user}, ${record.via}) ${what} ${record.messageId}: ${answer}`;
    }
    case 'grown':
      return `${record.reader} received ${record.seq}: a part of ${record.id}`;
    case 'call': {
      const effects = record.effects.map(({ kind, right }) => `${kind}s '${right}'`).join(', ');
      const answer = record.outcome === 'ok' ? 'ok' : refusal(record);
      const told = record.head === undefined ? '' : `, the chat had reached ${record.head}`;
      return `${record.client} (${record.user}, ${record.via}) did ${record.name}: ${answer}${told}${effects ? `; ${effects}` : ''}`;
    }
    case 'chat':
      return `the clients learned of the ${record.type.toLowerCase()} ${record.chatId}`;
    case 'open':
      return `${record.reader} (${record.user}, ${record.via}, ${record.source}) begins after ${record.afterSeq}`;
    case 'message': {
      const what = record.system ? `${record.system.event} ${record.system.users.join(', ')}` : quote(record.text);
      const changed =
        record.updateSeq === record.seq ? '' : `, ${record.deleted ? 'deleted' : 'edited'} at ${record.updateSeq}`;
      const number = record.changed ? `the change ${record.updateSeq} of ${record.seq}` : `${record.seq}${changed}`;
      return `${record.reader} received ${number}: ${record.id} of ${record.sender} ${record.clientMessageId} ${what}`;
    }
    case 'reaction': {
      const what = record.added ? 'reacted with' : 'took back';
      return `${record.reader} received ${record.seq}: ${record.user} ${what} ${record.emoji} to ${record.messageId}`;
    }
    case 'covered':
      return `${record.reader} received that ${record.from} to ${record.to} are covered`;
    case 'epoch':
      return `another database took the place of the one before: its epoch is ${record.epoch}`;
    case 'reset':
      return `${record.reader} was told that the epoch ${record.epoch} has begun after ${record.from}`;
    case 'reached':
      return `${record.reader} had everything up to ${record.seq}${record.complete ? ', the end of the chat' : ''}`;
    case 'stall':
      return `${record.reader} read nothing`;
    case 'close':
      return `${record.reader} ended (${record.why}${record.detail ? `: ${record.detail}` : ''})`;
    case 'resumed':
      return `${record.client} had resumed ${record.chats} chats`;
    case 'fault':
      return `fault: ${record.what}`;
    case 'thread':
      return `${record.client} (${record.user}) read ${record.listed.length} messages of the thread of ${record.root}`;
    default:
      return record satisfies never;
  }
}

function refusal({ outcome, code, reason }: { outcome: string; code?: string; reason?: string }): string {
  return `${outcome} ${code ?? ''}${reason ? ` (${reason})` : ''}`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
