import type { Message, PendingMessage } from '../../../../pkg/chat-client/index.ts';

/** A message of the user's own that is not yet among the messages. */
export interface Outgoing {
  clientMessageId: string;
  text: string;
  /** The id of the message that it replies to. */
  replyTo?: string | undefined;
  /** The id of the message whose thread it joins. */
  root?: string | undefined;
  at: Date;
  /** `sent`: the service stored the message durably, and its `message` event has not arrived yet. */
  state: 'sending' | 'sent' | 'failed';
  /** Why it failed. */
  problem?: string;
}

/** Creates an outgoing message that is being sent. */
export function toOutgoing({
  text,
  clientMessageId,
  replyToId: replyTo,
  rootId: root,
}: Omit<PendingMessage, 'chatId'>): Outgoing {
  return { clientMessageId, text, replyTo, root, at: new Date(), state: 'sending' };
}

export function withState(
  outgoing: readonly Outgoing[],
  id: string,
  change: Pick<Outgoing, 'state' | 'problem'>,
): readonly Outgoing[] {
  return outgoing.map((one) => (one.clientMessageId === id ? { ...one, ...change } : one));
}

/** Removes the outgoing messages whose `message` events have arrived. */
export function withoutCommitted(
  outgoing: readonly Outgoing[],
  messages: readonly Message[],
  ownId: string,
): readonly Outgoing[] {
  if (outgoing.length === 0) return outgoing;
  const committed = new Set(messages.filter(({ sender }) => sender?.id === ownId).map((one) => one.clientMessageId));
  const left = outgoing.filter(({ clientMessageId }) => !committed.has(clientMessageId));
  return left.length === outgoing.length ? outgoing : left;
}
