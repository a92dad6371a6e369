import type { Message, MessagePart } from '../../api/chat/v1/chat.ts';
import { withPart } from '../messages/with-part.ts';

/** Replaces the message in `messages` by a newer state, which keeps the reactions; removes it if it is hidden now. Does nothing if it is not among them. */
export function update(messages: Message[], changed: Message): void {
  const place = messages.findIndex(({ id }) => id === changed.id);
  const known = messages[place];
  if (known === undefined || changed.updateSeq <= known.updateSeq) return;
  if (changed.hidden) messages.splice(place, 1);
  else messages[place] = { ...changed, reactions: changed.deletedAt ? [] : known.reactions };
}

/** Adds a part to the message in `messages` that it belongs to, unless that has it already. Does nothing if it is not among them. */
export function extend(messages: Message[], part: MessagePart): void {
  const place = messages.findIndex(({ id }) => id === part.messageId);
  const known = messages[place];
  if (known !== undefined) messages[place] = withPart(known, part);
}

/** Maximum number of remembered states. */
const maxStates = 1_000;

/**
 * States that the event `message` brought before the number of the change: the service delivers them again as `message_changed`. Beyond 1,000
 * the earliest ones are forgotten, and are then announced twice.
 */
export class EarlyStates {
  readonly #states = new Set<string>();

  add(message: Message): void {
    if (message.updateSeq <= message.seq) return;
    this.#states.add(keyOf(message));
    const [earliest = ''] = this.#states;
    if (this.#states.size > maxStates) this.#states.delete(earliest);
  }

  /** Returns whether the client has this state, and forgets it: the service does not deliver it a third time. */
  take(state: Pick<Message, 'id' | 'updateSeq'>): boolean {
    return this.#states.delete(keyOf(state));
  }

  clear(): void {
    this.#states.clear();
  }
}

function keyOf({ id, updateSeq }: Pick<Message, 'id' | 'updateSeq'>): string {
  return `${id}/${updateSeq}`;
}
