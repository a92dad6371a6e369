import { useState } from 'preact/hooks';
import { ChatType } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';
import { nameOf, titleOf } from '../../text/names.ts';
import { Avatar } from '../controls/avatar.tsx';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { Icon } from '../controls/icon.tsx';
import { moveByArrow } from '../controls/move-by-arrow.ts';
import { ChatListItem } from './chat-list-item.tsx';

interface Props {
  workspace: Workspace;
  openId: string | undefined;
  onStart: () => void;
  onSignOut: () => Promise<void>;
}

/** The user's chats; the arrow keys go from one to the next. */
export function Sidebar({ workspace, openId, onStart, onSignOut }: Props) {
  const chats = useStore(workspace.chats.state);
  const online = useStore(workspace.presence.state);
  const typing = useStore(workspace.typing.state);
  const [filter, setFilter] = useState('');
  const { session } = workspace;
  const shown = chats?.filter((chat) => titleOf(chat).toLowerCase().includes(filter.toLowerCase()));
  const reachable = shown?.some(({ id }) => id === openId) ? openId : shown?.[0]?.id;
  return (
    <nav class="sidebar" aria-label="Chats">
      <header class="sidebar-header">
        <Avatar id={session.userId} name={session.name} />
        <div class="sidebar-me">
          <span class="sidebar-name">{nameOf({ id: session.userId, name: session.name })}</span>
          <span class="sidebar-id">{session.userId}</span>
        </div>
        <SignOutButton workspace={workspace} onSignOut={onSignOut} />
      </header>
      <div class="sidebar-tools">
        <label class="search">
          <span class="visually-hidden">Filter your chats</span>
          <Icon name="search" />
          <input
            type="search"
            placeholder="Filter your chats"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="icon-button icon-button-accent" aria-label="Start a chat" onClick={onStart}>
          <Icon name="plus" />
        </button>
      </div>
      <ul class="chat-list" onKeyDown={(event) => moveByArrow(event, 'a')}>
        {shown?.map((chat) => (
          <ChatListItem
            key={chat.id}
            chat={chat}
            ownId={session.userId}
            open={chat.id === openId}
            reachable={chat.id === reachable}
            online={chat.type === ChatType.DIRECT && online.has(chat.peer?.id ?? '')}
            typing={typing.get(chat.id) ?? noOne}
          />
        ))}
      </ul>
      {shown?.length === 0 && <p class="chat-list-empty">{filter ? 'No chat of that name.' : 'No chats yet.'}</p>}
    </nav>
  );
}

const noOne: never[] = [];

function SignOutButton({ workspace, onSignOut }: Pick<Props, 'workspace' | 'onSignOut'>) {
  const [unsent, setUnsent] = useState(0);
  const start = () => {
    const { pendingSends } = workspace.client;
    if (pendingSends > 0) setUnsent(pendingSends);
    else void onSignOut();
  };
  return (
    <>
      <button type="button" class="icon-button" aria-label="Sign out" title="Sign out" onClick={start}>
        <Icon name="signOut" />
      </button>
      {unsent > 0 && (
        <ConfirmDialog
          title="Sign out"
          question={`${unsent === 1 ? 'One message has' : `${unsent} messages have`} not been sent yet and would be lost.`}
          action="Sign out"
          onConfirm={onSignOut}
          onClose={() => setUnsent(0)}
        />
      )}
    </>
  );
}
