import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { OwnChange, OwnChanges } from '../../chats/own-changes.ts';
import { Problem } from '../controls/problem.tsx';
import { focusConversation } from './focus-conversation.ts';

interface Props {
  messageId: string;
  edit: Extract<OwnChange, { kind: 'editing' }>;
  changes: OwnChanges;
  maxTextLength: number;
}

/** The text of a message while it is edited: Enter saves, Shift+Enter starts a new line, Escape cancels. */
export function MessageEditor({ messageId, edit, changes, maxTextLength }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { text, problem } = edit;
  const room = maxTextLength - [...text].length;
  const complete = text.trim() !== '' && room >= 0;

  useEffect(() => {
    // An editor that opens again because of a refusal must not interrupt what is being written elsewhere.
    if (document.activeElement instanceof HTMLTextAreaElement) return;
    field.current?.focus();
    field.current?.setSelectionRange(text.length, text.length);
  }, []);
  useLayoutEffect(() => {
    const { style } = field.current!;
    style.height = 'auto';
    style.height = `${field.current!.scrollHeight}px`;
  }, [text]);

  const save = () => {
    if (!complete) return;
    changes.save(messageId);
    focusConversation();
  };
  const cancel = () => {
    changes.drop(messageId);
    focusConversation();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      save();
    }
    if (event.key === 'Escape') cancel();
  };
  return (
    <form
      class="message-editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={field}
        class="input"
        rows={1}
        value={text}
        aria-label="Edit the message"
        onInput={(event) => changes.type(messageId, event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Problem text={room < 0 ? `${-room} characters too many.` : problem} />
      <div class="message-editor-actions">
        <button type="button" class="link-button" onClick={cancel}>
          Cancel
        </button>
        <button type="submit" class="link-button" disabled={!complete}>
          Save
        </button>
      </div>
    </form>
  );
}
