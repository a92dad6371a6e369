import { useEffect, useRef, useState } from 'preact/hooks';
import { type Chat, ChatRole, type Message } from '../../../../../pkg/chat-client/index.ts';
import type { ThreadView } from '../../chats/thread-view.ts';
import { useStore } from '../../store/use-store.ts';
import { momentOf, timeOf } from '../../text/dates.ts';
import { deletedText } from '../../text/deleted-text.ts';
import { hueOf, nameOf } from '../../text/names.ts';
import { Dialog } from '../controls/dialog.tsx';
import { Icon } from '../controls/icon.tsx';
import { Problem } from '../controls/problem.tsx';
import { MessageText } from './message-text.tsx';
import { Quote } from './quote.tsx';

interface Props {
  chat: Chat;
  thread: ThreadView;
  onClose: () => void;
}

/** The open thread beside the conversation: its first message, the others, and a field to write in it. */
export function ThreadPanel({ chat, thread, onClose }: Props) {
  const { root, messages, hasOlder, following, problem } = useStore(thread.state);
  const quoted = useStore(thread.quoted.state);
  const end = useRef<HTMLDivElement>(null);
  const lastId = messages.at(-1)?.id;
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [lastId]);
  return (
    <Dialog title="Thread" side onClose={onClose}>
      {root && (
        <label class="thread-follow">
          <input
            type="checkbox"
            checked={following}
            onChange={(event) => void thread.follow(event.currentTarget.checked)}
          />
          Follow this thread
        </label>
      )}
      <div class="thread-messages">
        {root && <ThreadMessage message={root} quoted={undefined} />}
        {hasOlder && (
          <button type="button" class="link-button" onClick={() => void thread.load(true)}>
            Earlier answers
          </button>
        )}
        <ol aria-label="Answers">
          {messages.map((message) => (
            <li key={message.id}>
              <ThreadMessage message={message} quoted={quotedBy(message, root, quoted)} />
            </li>
          ))}
        </ol>
        <div ref={end} />
      </div>
      <Problem text={problem ?? ''} />
      {root && chat.ownRole !== ChatRole.READER && <ThreadComposer thread={thread} />}
    </Dialog>
  );
}

function ThreadMessage({ message, quoted }: { message: Message; quoted: Message | 'gone' | undefined }) {
  const { sender, text, deletedAt, editedAt, createdAt = new Date(0) } = message;
  return (
    <article class="thread-message" aria-label={`${nameOf(sender)}, ${timeOf(createdAt)}`} dir="auto">
      <p class="thread-message-head">
        <span class="bubble-sender" style={{ '--hue': String(hueOf(sender?.id ?? '')) }}>
          {nameOf(sender)}
        </span>
        <time title={momentOf(createdAt)} dateTime={createdAt.toISOString()}>
          {timeOf(createdAt)}
        </time>
        {editedAt && !deletedAt && <span>edited</span>}
      </p>
      {quoted && <Quote message={quoted} />}
      {deletedAt ? <span class="bubble-deleted">{deletedText}</span> : <MessageText text={text} />}
    </article>
  );
}

/** A quote of the root says nothing here: it stands above. */
function quotedBy(
  { replyTo }: Message,
  root: Message | undefined,
  quoted: ReadonlyMap<string, Message | undefined>,
): Message | 'gone' | undefined {
  if (!replyTo || replyTo.messageId === root?.id || !quoted.has(replyTo.messageId)) return undefined;
  return quoted.get(replyTo.messageId) ?? 'gone';
}

function ThreadComposer({ thread }: { thread: ThreadView }) {
  const [text, setText] = useState('');
  const [sending, setSending] = useState(false);
  const send = async () => {
    if (text.trim() === '' || sending) return;
    setSending(true);
    if (await thread.send(text)) setText('');
    setSending(false);
  };
  return (
    <form
      class="thread-composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        class="input"
        rows={2}
        value={text}
        aria-label="Answer in the thread"
        placeholder="Answer in the thread"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <button type="submit" class="send-button" aria-label="Send the answer" disabled={text.trim() === '' || sending}>
        <Icon name="send" />
      </button>
    </form>
  );
}
