import { memo } from 'preact/compat';
import { isMentioned, type Message, MessageStreaming } from '../../../../../pkg/chat-client/index.ts';
import type { Conversation } from '../../chats/conversation.ts';
import type { OwnChange } from '../../chats/own-changes.ts';
import type { Row } from '../../conversation/rows.ts';
import type { ReadPositions } from '../../people/read-positions.ts';
import { dayLabel, momentOf, timeOf } from '../../text/dates.ts';
import { deletedText } from '../../text/deleted-text.ts';
import { hueOf, nameOf } from '../../text/names.ts';
import { systemText } from '../../text/system-text.ts';
import { Avatar } from '../controls/avatar.tsx';
import { GrowingCursor, StopButton } from './growing.tsx';
import { MessageActions } from './message-actions.tsx';
import { MessageEditor } from './message-editor.tsx';
import { ChangeStatus, OutgoingStatus, SentStatus } from './message-status.tsx';
import { MessageText } from './message-text.tsx';
import { Quote } from './quote.tsx';
import { Reactions } from './reactions.tsx';
import { ThreadLink } from './thread-link.tsx';

interface Props {
  row: Row;
  /** Whether the chat is direct, so that senders need no names. */
  direct: boolean;
  conversation: Conversation;
  readPositions: ReadPositions;
  /** What the user is doing to the message. */
  change: OwnChange | undefined;
  mayEdit: boolean;
  mayDelete: boolean;
  mayMarkUnread: boolean;
  ownId: string;
  /** Whether Tab leads to the message's buttons. */
  reachable: boolean;
  maxTextLength: number;
  /** The message that it replies to; `gone`: there is no such message to show. */
  quoted: Message | 'gone' | undefined;
  mayReply: boolean;
  onDelete: (message: Message) => void;
  onMarkUnread: (message: Message) => void;
}

/** One line of the conversation. */
export const MessageRow = memo(function MessageRow(props: Props) {
  const { row } = props;
  switch (row.kind) {
    case 'beginning':
      return <p class="row-quiet row-beginning">{row.hasOlder ? 'Loading …' : 'This is the beginning of the chat.'}</p>;
    case 'day':
      return (
        <p class="row-day">
          <time>{dayLabel(row.at)}</time>
        </p>
      );
    case 'unread':
      return <p class="row-unread">New messages</p>;
    case 'system':
      return <p class="row-quiet">{systemText(row.message)}</p>;
    case 'outgoing':
    case 'message':
      return <Bubble {...props} row={row} />;
    default:
      return row satisfies never;
  }
}, sameProps);

/** Every change creates all rows anew; comparing their content avoids drawing those that did not change. */
function sameProps(before: Props, after: Props): boolean {
  const [one, other] = [before.row as Record<string, unknown>, after.row as Record<string, unknown>];
  const { row, ...rest } = after;
  return (
    Object.entries(rest).every(([key, value]) => before[key as keyof Props] === value) &&
    Object.keys(other).every((key) => one[key] === other[key] || key === 'at')
  );
}

/** Number of characters of a message by which its buttons are named. */
const maxNameLength = 60;

interface BubbleProps extends Props {
  row: Extract<Row, { own: boolean }>;
}

function Bubble({ row, direct, conversation, readPositions, change, quoted, ...may }: BubbleProps) {
  const { own, first, last } = row;
  const { editedAt, deletedAt: deleted } = row.kind === 'message' ? row.message : {};
  const edited = deleted ? undefined : editedAt;
  const sender = row.kind === 'message' ? row.message.sender : undefined;
  const message = row.kind === 'message' ? row.message : undefined;
  const growing = message?.streaming === MessageStreaming.STREAMING;
  const editing = change?.kind === 'editing' ? change : undefined;
  const pending = change?.kind === 'saving' || change?.kind === 'deleting' ? change : undefined;
  const stored = row.kind === 'message' ? row.message.text : row.outgoing.text;
  const text = pending?.kind === 'saving' ? pending.text : stored;
  const at = (row.kind === 'message' ? row.message.createdAt : row.outgoing.at) ?? new Date(0);
  const name = nameOf(sender);
  const named = !own && !direct;
  const mentioned = message && isMentioned(message, may.ownId);
  const onReact =
    message && may.mayReply && !deleted
      ? (emoji: string, added: boolean) => conversation.react(message.id, emoji, added)
      : undefined;
  const bubble = ['bubble', editing && 'bubble-editing', mentioned && 'bubble-mentioned'];
  const classes = ['bubble-row', own && 'own', first && 'first', last && 'last', named && 'named'];
  return (
    <article class={classes.filter(Boolean).join(' ')} aria-label={`${own ? 'You' : name}, ${timeOf(at)}`}>
      {named && <span class="bubble-avatar">{last && <Avatar id={sender?.id ?? ''} name={name} size="small" />}</span>}
      <div class="bubble-line">
        <div class={bubble.filter(Boolean).join(' ')} dir="auto">
          {named && first && (
            <span class="bubble-sender" style={{ '--hue': String(hueOf(sender?.id ?? '')) }}>
              {name}
            </span>
          )}
          {quoted && <Quote message={quoted} />}
          {editing && message ? (
            <MessageEditor
              messageId={message.id}
              edit={editing}
              changes={conversation.changes}
              maxTextLength={may.maxTextLength}
            />
          ) : deleted ? (
            <span class="bubble-deleted">{deletedText}</span>
          ) : (
            <MessageText text={text} mentions={pending ? [] : message?.mentions} own={own} ownId={may.ownId} />
          )}
          {growing && <GrowingCursor />}
          <span class="bubble-meta">
            {message?.streaming === MessageStreaming.CANCELLED && <span title="The text breaks off">stopped</span>}
            {edited && <span title={`Edited ${momentOf(edited)}`}>edited</span>}
            <time title={momentOf(at)} dateTime={at.toISOString()}>
              {timeOf(at)}
            </time>
            {own && message && !pending && <SentStatus positions={readPositions} seq={message.seq} direct={direct} />}
            {pending && <ChangeStatus kind={pending.kind} />}
            {row.kind === 'outgoing' && <OutgoingStatus outgoing={row.outgoing} />}
          </span>
        </div>
        {message && growing && !own && <StopButton conversation={conversation} message={message} sender={name} />}
        {message && !editing && !pending && (
          <MessageActions
            name={deleted ? deletedText : text.slice(0, maxNameLength)}
            reachable={may.reachable}
            onReact={onReact && ((emoji) => onReact(emoji, true))}
            onReply={may.mayReply && !deleted ? () => conversation.replying.set(message) : undefined}
            onThread={() => conversation.openThread(message)}
            onEdit={may.mayEdit ? () => conversation.changes.begin(message) : undefined}
            onDelete={may.mayDelete ? () => may.onDelete(message) : undefined}
            onMarkUnread={may.mayMarkUnread ? () => may.onMarkUnread(message) : undefined}
          />
        )}
      </div>
      {message && <Reactions message={message} reachable={may.reachable} onReact={onReact} />}
      {message && <ThreadLink message={message} onOpen={() => conversation.openThread(message)} />}
      {message && change?.kind === 'not_deleted' && (
        <p class="failed" role="alert">
          Not deleted. {change.problem}{' '}
          <button type="button" class="link-button" onClick={() => conversation.changes.drop(message.id)}>
            Dismiss
          </button>
        </p>
      )}
      {row.kind === 'outgoing' && row.outgoing.state === 'failed' && (
        <p class="failed">
          Not sent. {row.outgoing.problem}{' '}
          <button type="button" class="link-button" onClick={() => conversation.retry(row.outgoing.clientMessageId)}>
            Try again
          </button>{' '}
          <button type="button" class="link-button" onClick={() => conversation.discard(row.outgoing.clientMessageId)}>
            Discard
          </button>
        </p>
      )}
    </article>
  );
}
