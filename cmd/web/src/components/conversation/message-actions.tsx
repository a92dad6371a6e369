import { Icon } from '../controls/icon.tsx';
import { ReactionPalette } from './reaction-palette.tsx';

interface Props {
  /** Names the message to screen readers. */
  name: string;
  /** Whether Tab leads to the buttons; the arrow keys lead to those of other messages. */
  reachable: boolean;
  onReact: ((emoji: string) => void) | undefined;
  onReply: (() => void) | undefined;
  onThread: () => void;
  onEdit: (() => void) | undefined;
  onDelete: (() => void) | undefined;
  onMarkUnread: (() => void) | undefined;
}

/** The buttons beside a message, for what the user may do to it. */
export function MessageActions({ name, reachable, onReact, onReply, onThread, onEdit, onDelete, onMarkUnread }: Props) {
  const tabIndex = reachable ? 0 : -1;
  return (
    <div class="message-actions">
      {onReact && <ReactionPalette name={name} tabIndex={tabIndex} onReact={onReact} />}
      {onReply && (
        <button type="button" tabIndex={tabIndex} aria-label={`Reply: ${name}`} title="Reply" onClick={onReply}>
          <Icon name="reply" />
        </button>
      )}
      <button type="button" tabIndex={tabIndex} aria-label={`Thread: ${name}`} title="Thread" onClick={onThread}>
        <Icon name="thread" />
      </button>
      {onEdit && (
        <button type="button" tabIndex={tabIndex} aria-label={`Edit: ${name}`} title="Edit" onClick={onEdit}>
          <Icon name="edit" />
        </button>
      )}
      {onMarkUnread && (
        <button
          type="button"
          tabIndex={tabIndex}
          aria-label={`Mark as unread: ${name}`}
          title="Mark as unread"
          onClick={onMarkUnread}
        >
          <Icon name="unread" />
        </button>
      )}
      {onDelete && (
        <button type="button" tabIndex={tabIndex} aria-label={`Delete: ${name}`} title="Delete" onClick={onDelete}>
          <Icon name="trash" />
        </button>
      )}
    </div>
  );
}
