import { type Chat, ChatType } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { navigate } from '../../routes/use-route.ts';
import { useStore } from '../../store/use-store.ts';
import { titleOf } from '../../text/names.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Icon } from '../controls/icon.tsx';

interface Props {
  workspace: Workspace;
  chat: Chat;
  onShowMembers: () => void;
}

export function ConversationHeader({ workspace, chat, onShowMembers }: Props) {
  const online = useStore(workspace.presence.state);
  const { id, type, peer, memberCount } = chat;
  const others = useStore(workspace.readPositions.state);
  const direct = type === ChatType.DIRECT;
  const othersOnline = [...others.keys()].filter((userId) => online.has(userId)).length;
  const peerOnline = direct && online.has(peer?.id ?? '');
  return (
    <header class="conversation-header">
      <button
        type="button"
        class="icon-button narrow-only"
        aria-label="Back to the list"
        onClick={() => navigate(undefined)}
      >
        <Icon name="back" />
      </button>
      <Avatar id={peer?.id ?? id} name={titleOf(chat)} room={type === ChatType.ROOM} online={peerOnline} />
      <div class="conversation-title">
        <h1>{titleOf(chat)}</h1>
        <p>{direct ? (peerOnline ? 'Online' : 'Not online') : groupNote(memberCount, othersOnline)}</p>
      </div>
      <button type="button" class="icon-button" aria-label="Members" title="Members" onClick={onShowMembers}>
        <Icon name="people" />
      </button>
    </header>
  );
}

function groupNote(members: number, othersOnline: number): string {
  const size = members === 1 ? '1 member' : `${members} members`;
  return othersOnline === 0 ? size : `${size}, ${othersOnline + 1} online`;
}
