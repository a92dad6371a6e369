import type { Message } from '../../../../../pkg/chat-client/index.ts';

interface Props {
  message: Message;
  /** Whether Tab leads to the buttons. */
  reachable: boolean;
  /** Adds the user's reaction, or takes it back. Absent if the user may not react. */
  onReact: ((emoji: string, added: boolean) => void) | undefined;
}

/** The reactions to a message: each kind with the number of users, those of the user pressed. */
export function Reactions({ message: { reactions }, reachable, onReact }: Props) {
  if (reactions.length === 0) return null;
  return (
    <div class="reactions">
      {reactions.map(({ emoji, count, own }) => (
        <button
          key={emoji}
          type="button"
          class="reaction"
          tabIndex={reachable ? 0 : -1}
          aria-pressed={own}
          aria-label={`${emoji}, ${count === 1 ? '1 person' : `${count} people`}`}
          disabled={!onReact}
          onClick={() => onReact?.(emoji, !own)}
        >
          <span>{emoji}</span> <span>{count}</span>
        </button>
      ))}
    </div>
  );
}
