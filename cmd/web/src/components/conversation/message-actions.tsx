import { Icon } from '../controls/icon.tsx';

interface Props {
  /** Names the message to screen readers. */
  name: string;
  /** Whether Tab leads to the buttons; the arrow keys lead to those of other messages. */
  reachable: boolean;
  onEdit: (() => void) | undefined;
  onDelete: (() => void) | undefined;
  onMarkUnread: (() => void) | undefined;
}

/** The buttons beside a message, for what the user may do to it. */
export function MessageActions({ name, reachable, onEdit, onDelete, onMarkUnread }: Props) {
  const tabIndex = reachable ? 0 : -1;
  return (
    <div class="message-actions">
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
