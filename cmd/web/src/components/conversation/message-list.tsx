import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import { type Chat, ChatRole, ChatType, type Message } from '../../../../../pkg/chat-client/index.ts';
import type { Conversation } from '../../chats/conversation.ts';
import { mayDelete, mayEdit, mayMarkUnread } from '../../chats/may-change.ts';
import type { OwnChange } from '../../chats/own-changes.ts';
import type { Quoted } from '../../chats/quoted-messages.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { type Row, seqUpTo, toRows } from '../../conversation/rows.ts';
import { explain } from '../../session/explain.ts';
import { useStore } from '../../store/use-store.ts';
import { titleOf } from '../../text/names.ts';
import { unreadLabel } from '../../text/unread-label.ts';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { Icon } from '../controls/icon.tsx';
import { moveByArrow } from '../controls/move-by-arrow.ts';
import { focusConversation } from './focus-conversation.ts';
import { MessageRow } from './message-row.tsx';
import { useMarkRead } from './use-mark-read.ts';

interface Props {
  workspace: Workspace;
  chat: Chat;
  conversation: Conversation;
}

/** Within this distance from its end, in pixels, the list follows new messages. */
const endMargin = 40;

/** The list reads more history when less than this many pixels remain in that direction. */
const loadMargin = 800;

/** Number of characters of a message that the question before a deletion repeats. */
const maxQuotedLength = 120;

/** The list of messages. Only messages near the screen are in the document. */
export function MessageList({ workspace, chat, conversation }: Props) {
  const state = useStore(conversation.state);
  const scroller = useRef<HTMLElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const placed = useRef(false);
  const [atEnd, setAtEnd] = useState(true);
  const { userId } = workspace.session;
  const rows = useMemo(() => toRows(state, userId), [state, userId]);
  const { loaded, window, problem } = state;
  const changes = useStore(conversation.changes.state);
  const [deleting, setDeleting] = useState<Message>();
  const reachable = window.messages.findLast(({ system }) => !system)?.id;
  const quoted = useStore(conversation.quoted.state);
  const [unreadAbove, setUnreadAbove] = useState(false);
  const unreadRow = rows.findIndex(({ kind }) => kind === 'unread');
  const edited = rows.flatMap((row, index) => (changeOf(row, changes)?.kind === 'editing' ? [index] : []));
  const lastEdited = rows[edited.at(-1) ?? -1]?.key;
  useLayoutEffect(() => {
    // An editor may open beyond the screen, by the keyboard or after a refusal.
    if (lastEdited !== undefined) list.current?.scrollToIndex(edited.at(-1)!, { align: 'nearest' });
  }, [lastEdited]);
  const asked = useRef(false);
  useEffect(() => {
    // The button that opened the dialog goes with the message. Not before: on a touch screen the focus opens the keyboard.
    if (asked.current && !deleting && document.activeElement === document.body) focusConversation();
    asked.current = deleting !== undefined;
  }, [deleting]);

  const markRead = useMarkRead(workspace, chat);
  const markUnread = useCallback(
    (message: Message) => {
      workspace.markUnread(message.chatId, message.seq).catch((error: unknown) => {
        workspace.problem.set(`The message was not marked as unread. ${explain(error)}`);
      });
    },
    [workspace],
  );
  const look = useCallback(() => {
    const handle = list.current;
    if (!handle || !placed.current) return;
    const end = handle.scrollSize - handle.viewportSize;
    const { hasOlder, hasNewer } = conversation.state.value.window;
    conversation.following = handle.scrollOffset >= end - endMargin && !hasNewer;
    setAtEnd(conversation.following);
    const first = handle.findItemIndex(handle.scrollOffset);
    setUnreadAbove(unreadRow >= 0 && first > unreadRow);
    if (hasOlder && handle.scrollOffset < loadMargin) void conversation.loadOlder();
    if (hasNewer && handle.scrollOffset > end - loadMargin) void conversation.loadNewer();
    markRead(seqUpTo(rows, handle.findItemIndex(handle.scrollOffset + handle.viewportSize - 1)));
  }, [conversation, rows, markRead, unreadRow]);

  useLayoutEffect(() => {
    if (!loaded || rows.length === 0) return;
    const unread = rows.findIndex(({ kind }) => kind === 'unread');
    if (!placed.current && unread >= 0) list.current?.scrollToIndex(unread, { align: 'start' });
    else if (!placed.current || conversation.following) list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
    placed.current = true;
  }, [loaded, rows, conversation]);
  useEffect(() => {
    const timer = requestAnimationFrame(look);
    return () => cancelAnimationFrame(timer);
  }, [look]);
  useEffect(() => {
    // A composer that grows, or a keyboard that opens, must not cover the end.
    const observer = new ResizeObserver(() => {
      if (conversation.following) list.current?.scrollToIndex(Number.MAX_SAFE_INTEGER, { align: 'end' });
    });
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [conversation]);

  const jump = async () => {
    if (window.hasNewer) await conversation.loadNewest();
    conversation.following = true;
    list.current?.scrollToIndex(rows.length - 1, { align: 'end' });
    scroller.current?.focus();
  };

  const jumpToUnread = async () => {
    await conversation.loadUnread();
    const at = toRows(conversation.state.value, userId).findIndex(({ kind }) => kind === 'unread');
    conversation.following = false;
    if (at >= 0) list.current?.scrollToIndex(at, { align: 'start' });
    scroller.current?.focus();
  };

  return (
    <div class="messages">
      <section
        ref={scroller}
        class="message-scroller"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users need the focus to scroll the list.
        tabIndex={0}
        onKeyDown={(event) => moveByArrow(event, '.message-actions button')}
        aria-label={`Messages of ${titleOf(chat)}`}
        aria-busy={!loaded}
      >
        <div class="message-filler" />
        {loaded && (
          <Virtualizer
            ref={list}
            scrollRef={scroller}
            shift={state.shift}
            as="ol"
            item="li"
            keepMounted={edited}
            onScroll={look}
          >
            {rows.map((row) => (
              <MessageRow
                key={row.key}
                row={row}
                direct={chat.type === ChatType.DIRECT}
                conversation={conversation}
                readPositions={workspace.readPositions}
                change={changeOf(row, changes)}
                quoted={quotedBy(row, quoted)}
                mayReply={chat.ownRole !== ChatRole.READER}
                mayEdit={row.kind === 'message' && mayEdit(row.message, chat, userId)}
                mayDelete={row.kind === 'message' && mayDelete(row.message, chat, userId)}
                mayMarkUnread={row.kind === 'message' && mayMarkUnread(row.message, userId)}
                ownId={userId}
                reachable={row.kind === 'message' && row.message.id === reachable}
                maxTextLength={workspace.maxTextLength}
                onDelete={setDeleting}
                onMarkUnread={markUnread}
              />
            ))}
          </Virtualizer>
        )}
        {!loaded && !problem && <p class="messages-loading">Loading …</p>}
      </section>
      {problem && (
        <p class="messages-problem" role="alert">
          {problem}{' '}
          <button type="button" class="link-button" onClick={() => void conversation.loadNewest()}>
            Try again
          </button>
        </p>
      )}
      {unreadAbove && (
        <button type="button" class="jump-button jump-to-unread" onClick={() => void jumpToUnread()}>
          <Icon name="up" />
          Jump to unread
        </button>
      )}
      {!atEnd && (
        <button type="button" class="jump-button" onClick={() => void jump()}>
          <Icon name="down" />
          {chat.unreadCount > 0 ? `${unreadLabel(chat.unreadCount)} new` : 'Newest'}
          <span class="visually-hidden"> messages: go to the end</span>
        </button>
      )}
      {deleting && (
        <ConfirmDialog
          title="Delete"
          question={`Delete this message for everybody? “${deleting.text.slice(0, maxQuotedLength)}”`}
          action="Delete"
          onConfirm={async () => {
            conversation.changes.delete(deleting.id);
          }}
          onClose={() => setDeleting(undefined)}
        />
      )}
    </div>
  );
}

function changeOf(row: Row, changes: ReadonlyMap<string, OwnChange>): OwnChange | undefined {
  return row.kind === 'message' ? changes.get(row.message.id) : undefined;
}

/** The message that the row's replies to. Until it is known, none. */
function quotedBy(row: Row, quoted: Quoted): Message | 'gone' | undefined {
  const id =
    row.kind === 'message'
      ? row.message.replyTo?.messageId
      : row.kind === 'outgoing'
        ? row.outgoing.replyTo
        : undefined;
  if (id === undefined || !quoted.has(id)) return undefined;
  return quoted.get(id) ?? 'gone';
}
