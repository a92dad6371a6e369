import { useEffect, useState } from 'preact/hooks';
import { isMuted } from '../chats/listed-chat.ts';
import type { Workspace } from '../chats/workspace.ts';
import { navigate, useRoute } from '../routes/use-route.ts';
import { useStore } from '../store/use-store.ts';
import { titleOf } from '../text/names.ts';
import { Announcer } from './announcer.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { ConversationView } from './conversation/conversation-view.tsx';
import { NewChatDialog } from './new-chat/new-chat-dialog.tsx';
import { Sidebar } from './sidebar/sidebar.tsx';

interface Props {
  workspace: Workspace;
  onSignOut: () => Promise<void>;
}

/** The list of chats and the open one; on a narrow screen one of them at a time. */
export function WorkspaceView({ workspace, onSignOut }: Props) {
  const chatId = useRoute();
  const chats = useStore(workspace.chats.state);
  const [starting, setStarting] = useState(false);
  const chat = chats?.find(({ id }) => id === chatId);
  const unread = chats?.reduce((sum, chat) => sum + (isMuted(chat) ? chat.mentionCount : chat.unreadCount), 0) ?? 0;

  useEffect(() => {
    const count = unread > 0 ? `(${unread}) ` : '';
    document.title = `${count}${chat ? `${titleOf(chat)} · ` : ''}Chat`;
  }, [unread, chat]);

  return (
    <div class={chatId === undefined ? 'workspace' : 'workspace workspace-chat'}>
      <button type="button" class="skip-link" onClick={skipToConversation}>
        Skip to the conversation
      </button>
      <Sidebar workspace={workspace} openId={chatId} onStart={() => setStarting(true)} onSignOut={onSignOut} />
      <main id="conversation" class="main" tabIndex={-1}>
        {chat ? (
          <ConversationView key={chat.id} workspace={workspace} chat={chat} />
        ) : (
          <NoChat loading={chats === undefined} missing={chatId !== undefined} onStart={() => setStarting(true)} />
        )}
      </main>
      <ConnectionBanner connection={workspace.connection} />
      <Announcer workspace={workspace} />
      {starting && <NewChatDialog workspace={workspace} onClose={() => setStarting(false)} />}
    </div>
  );
}

/** A button, not a link: the address is the open chat's. */
function skipToConversation(): void {
  const composer = document.querySelector<HTMLElement>('#conversation .composer textarea');
  (composer ?? document.getElementById('conversation'))?.focus();
}

function NoChat({ loading, missing, onStart }: { loading: boolean; missing: boolean; onStart: () => void }) {
  if (loading)
    return (
      <p class="no-chat" aria-busy="true">
        Loading …
      </p>
    );
  return (
    <div class="no-chat">
      <p>{missing ? 'You are not in this chat.' : 'Choose a chat, or start one.'}</p>
      <button type="button" class="button button-primary" onClick={onStart}>
        Start a chat
      </button>
      {missing && (
        <button type="button" class="button narrow-only" onClick={() => navigate(undefined)}>
          Back to the list
        </button>
      )}
    </div>
  );
}
