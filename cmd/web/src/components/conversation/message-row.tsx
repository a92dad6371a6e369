import { memo } from 'preact/compat';
import type { Conversation } from '../../chats/conversation.ts';
import type { Row } from '../../conversation/rows.ts';
import type { ReadPositions } from '../../people/read-positions.ts';
import { dayLabel, momentOf, timeOf } from '../../text/dates.ts';
import { deletedText } from '../../text/deleted-text.ts';
import { hueOf, nameOf } from '../../text/names.ts';
import { systemText } from '../../text/system-text.ts';
import { Avatar } from '../controls/avatar.tsx';
import { OutgoingStatus, SentStatus } from './message-status.tsx';
import { MessageText } from './message-text.tsx';

interface Props {
  row: Row;
  /** Whether the chat is direct, so that senders need no names. */
  direct: boolean;
  conversation: Conversation;
  readPositions: ReadPositions;
}

/** One line of the conversation. */
export const MessageRow = memo(function MessageRow({ row, direct, conversation, readPositions }: Props) {
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
      return <Bubble row={row} direct={direct} conversation={conversation} readPositions={readPositions} />;
    default:
      return row satisfies never;
  }
}, sameProps);

/** Every change creates all rows anew; comparing their content avoids drawing those that did not change. */
function sameProps(before: Props, after: Props): boolean {
  const [one, other] = [before.row as Record<string, unknown>, after.row as Record<string, unknown>];
  return before.direct === after.direct && Object.keys(other).every((key) => one[key] === other[key] || key === 'at');
}

interface BubbleProps extends Props {
  row: Extract<Row, { own: boolean }>;
}

function Bubble({ row, direct, conversation, readPositions }: BubbleProps) {
  const { own, first, last } = row;
  const { editedAt, deletedAt: deleted } = row.kind === 'message' ? row.message : {};
  const edited = deleted ? undefined : editedAt;
  const sender = row.kind === 'message' ? row.message.sender : undefined;
  const text = row.kind === 'message' ? row.message.text : row.outgoing.text;
  const at = (row.kind === 'message' ? row.message.createdAt : row.outgoing.at) ?? new Date(0);
  const name = nameOf(sender);
  const named = !own && !direct;
  const classes = ['bubble-row', own && 'own', first && 'first', last && 'last', named && 'named'];
  return (
    <article class={classes.filter(Boolean).join(' ')} aria-label={`${own ? 'You' : name}, ${timeOf(at)}`}>
      {named && <span class="bubble-avatar">{last && <Avatar id={sender?.id ?? ''} name={name} size="small" />}</span>}
      <div class="bubble" dir="auto">
        {named && first && (
          <span class="bubble-sender" style={{ '--hue': String(hueOf(sender?.id ?? '')) }}>
            {name}
          </span>
        )}
        {deleted ? <span class="bubble-deleted">{deletedText}</span> : <MessageText text={text} />}
        <span class="bubble-meta">
          {edited && <span title={`Edited ${momentOf(edited)}`}>edited</span>}
          <time title={momentOf(at)} dateTime={at.toISOString()}>
            {timeOf(at)}
          </time>
          {own && row.kind === 'message' && (
            <SentStatus positions={readPositions} seq={row.message.seq} direct={direct} />
          )}
          {row.kind === 'outgoing' && <OutgoingStatus outgoing={row.outgoing} />}
        </span>
      </div>
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
