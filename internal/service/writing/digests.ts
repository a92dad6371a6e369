import { hash } from 'node:crypto';
import type { ChangeDraft } from '../../model/change.ts';
import type { ChatFields } from '../../model/chat-fields.ts';
import type { Draft, MessageOptions } from '../../model/message.ts';
import type { ReactionDraft } from '../../model/reaction.ts';

/*
 * Digests of what must be equal in a repetition: 128 bits of SHA-256. They are stored, and nodes of several versions compare them: what an older version could
 * already digest has the same digest for ever. The order of an object's keys is no matter, since protobuf does not keep it.
 */

/**
 * The forms of digests of messages: their first byte. Digests of a text alone are 16 bytes of SHA-256, without such a byte. A field that is added to
 * messages becomes a key of the last form.
 */
const forms = { textAndData: 2, fieldsByName: 3 } as const;

export function digestOfMessage({
  text,
  data,
  type,
  silent,
  replyToId,
  rootId,
  mentions,
}: Pick<Draft, 'text' | keyof MessageOptions>): Buffer {
  // Keys without a value are left out. These keys are stored for ever: never rename one.
  const named: Record<string, unknown> = { type, silent, reply_to_id: replyToId, root_id: rootId, mentions };
  if (Object.values(named).some((value) => value !== undefined))
    return withForm(forms.fieldsByName, { ...named, text, data });
  return data ? withForm(forms.textAndData, [text, data]) : digest(text);
}

/** A streamed message is never the repetition of an ordinary one. */
export function digestOfStart({ text }: { text: string }): Buffer {
  return digest(canonicalJson(['started', text]));
}

export function digestOfChange({ messageId, change }: Pick<ChangeDraft, 'messageId' | 'change'>): Buffer {
  if (change.kind === 'deleted') return digest(canonicalJson([change.kind, messageId, change.hide]));
  const { kind, text, data, mentions } = change;
  if (mentions) return withForm(forms.fieldsByName, { kind, messageId, text, data, mentions });
  return digest(canonicalJson(data ? [kind, messageId, text, data] : [kind, messageId, text]));
}

export function digestOfReaction({
  messageId,
  emoji,
  added,
}: Pick<ReactionDraft, 'messageId' | 'emoji' | 'added'>): Buffer {
  return digest(canonicalJson(['reacted', messageId, emoji, added]));
}

export function digestOfUpdate({ name, description, data }: Partial<ChatFields>): Buffer {
  return digest(canonicalJson(['chat_updated', name ?? null, description ?? null, data ?? null]));
}

function withForm(form: number, content: unknown): Buffer {
  return Buffer.concat([Buffer.of(form), digest(canonicalJson(content))]);
}

function digest(content: string): Buffer {
  return hash('sha256', content, 'buffer').subarray(0, 16);
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, sortKeys);
}

function sortKeys(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
