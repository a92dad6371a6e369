import { memo } from 'preact/compat';
import { type Chat, ChatType, type User } from '../../../../../pkg/chat-client/index.ts';
import { isMuted } from '../../chats/listed-chat.ts';
import { routeTo } from '../../routes/use-route.ts';
import { shortLabel } from '../../text/dates.ts';
import { deletedText } from '../../text/deleted-text.ts';
import { nameOf, titleOf } from '../../text/names.ts';
import { systemText } from '../../text/system-text.ts';
import { unreadLabel } from '../../text/unread-label.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Icon } from '../controls/icon.tsx';

interface Props {
  chat: Chat;
  ownId: string;
  open: boolean;
  /** Whether Tab leads to it; the arrow keys lead to the others. */
  reachable: boolean;
  /** Whether the other user of a direct chat is online. */
  online: boolean;
  typing: readonly User[];
}

/** One chat in the list. */
export const ChatListItem = memo(function ChatListItem({ chat, ownId, open, reachable, online, typing }: Props) {
  const { id, type, peer, unreadCount, mentionCount, lastMessage, createdAt } = chat;
  const muted = isMuted(chat);
  const at = lastMessage?.createdAt ?? createdAt;
  const title = titleOf(chat);
  return (
    <li>
      <a
        class="chat-item"
        href={routeTo(id)}
        aria-current={open ? 'page' : undefined}
        tabIndex={reachable ? 0 : -1}
        data-chat={id}
      >
        <Avatar id={peer?.id ?? id} name={title} room={type === ChatType.ROOM} online={online} />
        <span class="chat-item-title">
          {title}
          {online && <span class="visually-hidden"> (online)</span>}
        </span>
        {at && <time class="chat-item-time">{shortLabel(at)}</time>}
        <span class={typing.length > 0 ? 'chat-item-last chat-item-typing' : 'chat-item-last'}>
          {typing.length > 0 ? `${nameOf(typing[0])} is typing …` : preview(chat, ownId)}
        </span>
        <span class="badges">
          {muted && (
            <span class="chat-item-muted" title="Muted">
              <Icon name="bellOff" />
              <span class="visually-hidden">Muted</span>
            </span>
          )}
          {mentionCount > 0 && (
            <span class="badge badge-mention" title="You are mentioned">
              @{mentionCount > 1 && unreadLabel(mentionCount)}
              <span class="visually-hidden"> {mentionCount === 1 ? 'mention' : 'mentions'} of you</span>
            </span>
          )}
          {unreadCount > 0 && (
            <span class={muted ? 'badge badge-muted' : 'badge'}>
              {unreadLabel(unreadCount)}
              <span class="visually-hidden"> unread</span>
            </span>
          )}
        </span>
      </a>
    </li>
  );
});

function preview({ type, lastMessage }: Chat, ownId: string): string {
  if (!lastMessage) return 'No messages yet';
  if (lastMessage.system) return systemText(lastMessage);
  const { sender, text, deletedAt, hidden } = lastMessage;
  if (deletedAt) return hidden ? '' : deletedText;
  const who = sender?.id === ownId ? 'You: ' : type === ChatType.DIRECT ? '' : `${nameOf(sender)}: `;
  return who + text.slice(0, 200);
}
