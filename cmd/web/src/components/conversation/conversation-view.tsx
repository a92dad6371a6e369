import { useEffect, useLayoutEffect, useMemo, useState } from 'preact/hooks';
import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';
import { MembersDialog } from '../members/members-dialog.tsx';
import { Composer } from './composer.tsx';
import { ConversationHeader } from './conversation-header.tsx';
import { MessageList } from './message-list.tsx';
import { ThreadPanel } from './thread-panel.tsx';
import { TypingLine } from './typing-line.tsx';

interface Props {
  workspace: Workspace;
  chat: Chat;
}

/** The open chat. */
export function ConversationView({ workspace, chat }: Props) {
  const conversation = useMemo(() => workspace.conversation(chat.id), [workspace, chat.id]);
  const online = useStore(workspace.connection).kind === 'online';
  const thread = useStore(conversation.thread);
  const [showsMembers, setShowsMembers] = useState(false);
  useEffect(() => {
    if (!online) return;
    conversation.recover();
    const { presence, readPositions } = workspace;
    void Promise.allSettled([presence.loadChat(chat.id), readPositions.open(chat.id, chat.memberCount)]);
  }, [workspace, conversation, chat.id, online]);
  useLayoutEffect(() => {
    conversation.enter(chat);
    return () => conversation.left();
    // Uses the chat's state at the time of opening.
  }, [conversation]);
  return (
    <section class="conversation" aria-label="Conversation">
      <ConversationHeader workspace={workspace} chat={chat} onShowMembers={() => setShowsMembers(true)} />
      <MessageList workspace={workspace} chat={chat} conversation={conversation} />
      <TypingLine typing={workspace.typing} chatId={chat.id} />
      <Composer workspace={workspace} chat={chat} conversation={conversation} />
      {thread && <ThreadPanel chat={chat} thread={thread} onClose={() => conversation.thread.set(undefined)} />}
      {showsMembers && <MembersDialog workspace={workspace} chat={chat} onClose={() => setShowsMembers(false)} />}
    </section>
  );
}
