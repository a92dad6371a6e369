import type * as wire from '../../pkg/api/chat/v1/chat.ts';
import type { Complete } from '../model/complete.ts';
import type { Entry } from '../model/entry.ts';
import type { CompleteOneof } from './complete-oneof.ts';
import { fromWireMessage, toWireMessage } from './message.ts';
import { fromWireReactionChange, toWireReactionChange } from './reaction.ts';

type WireEntry = NonNullable<wire.Change['change']>;

/** Converts an entry to its wire form, which is the same in a stream, in the answer of ListChanges and for other nodes. */
export function toWireEntry(entry: Entry): CompleteOneof<WireEntry> {
  switch (entry.kind) {
    case 'message':
      return { $case: 'message', value: toWireMessage(entry.message) };
    case 'message_changed':
      return { $case: 'messageChanged', value: { message: toWireMessage(entry.message) } };
    case 'covered': {
      const { chatId, fromSeq, toSeq } = entry;
      return { $case: 'covered', value: { chatId, fromSeq, toSeq } };
    }
    case 'reaction':
      return { $case: 'reaction', value: toWireReactionChange(entry.reaction) };
    case 'message_part': {
      const { chatId, messageId, seq, offset, text } = entry.part;
      return { $case: 'messagePart', value: { chatId, messageId, seq, offset, text } };
    }
    default:
      return entry satisfies never;
  }
}

/** Converts an entry from another node. Throws TypeError for one that `toWireEntry` cannot have written. */
export function fromWireEntry(entry: WireEntry): Complete<Entry> {
  switch (entry.$case) {
    case 'message':
      return { kind: 'message', message: fromWireMessage(entry.value) };
    case 'messageChanged': {
      const { message } = entry.value;
      if (!message) throw new TypeError('a change without its message');
      return { kind: 'message_changed', message: fromWireMessage(message) };
    }
    case 'covered': {
      const { chatId, fromSeq, toSeq } = entry.value;
      if (!chatId || fromSeq < 1 || toSeq < fromSeq) throw new TypeError('covered numbers lack required fields');
      return { kind: 'covered', chatId, fromSeq, toSeq };
    }
    case 'reaction':
      return { kind: 'reaction', reaction: fromWireReactionChange(entry.value) };
    case 'messagePart': {
      const { chatId, messageId, seq, offset, text } = entry.value;
      if (!chatId || !messageId || seq < 1) throw new TypeError('a part of a message lacks required fields');
      return { kind: 'message_part', part: { chatId, messageId, seq, offset, text } };
    }
    default:
      return entry satisfies never;
  }
}
