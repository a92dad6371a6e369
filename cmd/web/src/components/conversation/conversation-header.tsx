import { type Chat, ChatType } from '../../../../../pkg/chat-client/index.ts';
import { isMuted } from '../../chats/listed-chat.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { navigate } from '../../routes/use-route.ts';
import { explain } from '../../session/explain.ts';
import { useStore } from '../../store/use-store.ts';
import { titleOf } from '../../text/names.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Icon } from '../controls/icon.tsx';

interface Props {
  workspace: Workspace;
  chat: Chat;
  onShowMembers: () => void;
}

/** For how long the button mutes a chat, in milliseconds. */
const muteMs = 8 * 3_600_000;

export function ConversationHeader({ workspace, chat, onShowMembers }: Props) {
  const online = useStore(workspace.presence.state);
  const { id, type, peer, memberCount } = chat;
  const others = useStore(workspace.readPositions.state);
  const direct = type === ChatType.DIRECT;
  const othersOnline = [...others.keys()].filter((userId) => online.has(userId)).length;
  const muted = isMuted(chat);
  const toggleMuted = () => {
    workspace.mute(id, muted ? 0 : muteMs).catch((error: unknown) => {
      workspace.problem.set(`The chat was not ${muted ? 'unmuted' : 'muted'}. ${explain(error)}`);
    });
  };
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
      <button
        type="button"
        class="icon-button"
        aria-pressed={muted}
        aria-label={muted ? 'Muted: notify again' : 'Mute for 8 hours'}
        title={muted ? 'Notify again' : 'Mute for 8 hours'}
        onClick={toggleMuted}
      >
        <Icon name={muted ? 'bellOff' : 'bell'} />
      </button>
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
