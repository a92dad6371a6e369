import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Chat, ChatRole } from '../../../../../pkg/chat-client/index.ts';
import type { Conversation } from '../../chats/conversation.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';
import { titleOf } from '../../text/names.ts';
import { Icon } from '../controls/icon.tsx';
import { MentionSuggestions, optionId } from './mention-suggestions.tsx';
import { Quote } from './quote.tsx';
import { useMentionTyping } from './use-mention-typing.ts';

const suggestionsId = 'mention-suggestions';

interface Props {
  workspace: Workspace;
  chat: Chat;
  conversation: Conversation;
}

/** The input for messages: Enter sends, Shift+Enter starts a new line, Escape ends a reply or moves the focus to the messages, the arrow up edits the last message. */
export function Composer({ workspace, chat, conversation }: Props) {
  const [text, setText] = useState(conversation.draft);
  const field = useRef<HTMLTextAreaElement>(null);
  const { maxTextLength } = workspace;
  const [caret, setCaret] = useState(0);
  const mention = useMentionTyping(workspace, chat, text, caret);
  const room = maxTextLength - [...text].length;

  const replying = useStore(conversation.replying);
  useEffect(() => {
    if (replying) field.current?.focus();
  }, [replying?.id]);
  useEffect(() => {
    // Not on a touch screen, where the keyboard would cover the conversation.
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, []);
  useLayoutEffect(() => {
    conversation.draft = text;
    const { style } = field.current ?? {};
    if (!style) return;
    style.height = 'auto';
    style.height = `${field.current!.scrollHeight}px`;
  }, [text, conversation]);

  if (chat.ownRole === ChatRole.READER) return <p class="composer-closed">You may read here, not write.</p>;

  const send = () => {
    if (text.trim() === '' || room < 0) return;
    conversation.send(text);
    setText('');
    field.current?.focus();
  };
  const put = (next: { text: string; caret: number } | undefined) => {
    if (!next) return;
    setText(next.text);
    setCaret(next.caret);
    // After the new text is in the field.
    requestAnimationFrame(() => field.current?.setSelectionRange(next.caret, next.caret));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const used = event.isComposing ? undefined : mention.onKey(event.key);
    if (used) {
      event.preventDefault();
      return used === true ? undefined : put(used);
    }
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
    if (event.key === 'ArrowUp' && text === '' && conversation.editLast(chat)) {
      event.preventDefault();
      // The editor takes the focus from no other text.
      field.current?.blur();
    }
    if (event.key === 'Escape' && replying) conversation.replying.set(undefined);
    else if (event.key === 'Escape') document.querySelector<HTMLElement>('.message-scroller')?.focus();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {replying && (
        <div class="composer-replying">
          <Quote message={replying} />
          <button
            type="button"
            class="icon-button"
            aria-label="Do not reply"
            onClick={() => {
              conversation.replying.set(undefined);
              field.current?.focus();
            }}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
      <textarea
        ref={field}
        rows={1}
        value={text}
        aria-label={`Message to ${titleOf(chat)}`}
        placeholder="Write a message"
        enterkeyhint="send"
        aria-autocomplete="list"
        aria-controls={mention.suggestions.length > 0 ? suggestionsId : undefined}
        aria-activedescendant={mention.suggestions.length > 0 ? optionId(suggestionsId, mention.chosen) : undefined}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onBlur={() => setCaret(0)}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setCaret(event.currentTarget.selectionStart);
          if (event.currentTarget.value.trim() !== '') workspace.client.typing(chat.id);
        }}
        onKeyDown={onKeyDown}
      />
      {mention.suggestions.length > 0 && (
        <MentionSuggestions
          id={suggestionsId}
          suggestions={mention.suggestions}
          chosen={mention.chosen}
          onChoose={(suggestion) => put(mention.take(suggestion))}
        />
      )}
      {room < maxTextLength / 10 && (
        <span class={room < 0 ? 'composer-room composer-room-none' : 'composer-room'} role="status">
          {room}
          <span class="visually-hidden"> characters left</span>
        </span>
      )}
      <button type="submit" class="send-button" aria-label="Send" disabled={text.trim() === '' || room < 0}>
        <Icon name="send" />
      </button>
    </form>
  );
}
