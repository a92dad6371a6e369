import { useState } from 'preact/hooks';
import type { Message } from '../../../../../pkg/chat-client/index.ts';
import type { Conversation } from '../../chats/conversation.ts';

/** Marks the end of a text that is still growing. */
export function GrowingCursor() {
  return (
    <span class="growing-cursor">
      <span class="visually-hidden"> (still being written)</span>
    </span>
  );
}

interface Props {
  conversation: Conversation;
  message: Message;
  /** Names the message's sender to screen readers. */
  sender: string;
}

/** Asks the sender of a growing message to end it. The sender decides, so the button stays until the message has ended. */
export function StopButton({ conversation, message, sender }: Props) {
  const [asked, setAsked] = useState(false);
  const stop = () => {
    setAsked(true);
    // It has ended meanwhile, or the button can be pressed again.
    conversation.stop(message.id).catch(() => setAsked(false));
  };
  return (
    <button
      type="button"
      class="link-button stop-button"
      disabled={asked}
      aria-label={`Stop: ${sender}`}
      onClick={stop}
    >
      {asked ? 'Stopping …' : 'Stop'}
    </button>
  );
}
