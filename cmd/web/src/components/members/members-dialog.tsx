import { useCallback, useState } from 'preact/hooks';
import { type Chat, ChatRole, ChatType, type Member } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { navigate } from '../../routes/use-route.ts';
import { explain } from '../../session/explain.ts';
import { useStore } from '../../store/use-store.ts';
import { titleOf } from '../../text/names.ts';
import { ConfirmDialog } from '../controls/confirm-dialog.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { useLoaded } from '../controls/use-loaded.ts';
import { AddMemberForm } from './add-member-form.tsx';
import { MemberItem } from './member-item.tsx';

interface Props {
  workspace: Workspace;
  chat: Chat;
  onClose: () => void;
}

/** Maximum number of members in the list. */
const maxShown = 200;

/** Lists the chat's members and their roles. Moderators can add and remove members and change roles. */
export function MembersDialog({ workspace, chat, onClose }: Props) {
  const { client, presence, session } = workspace;
  const { id: chatId, memberCount, ownRole, type } = chat;
  const online = useStore(presence.state);
  const [leaving, setLeaving] = useState(false);
  const [problem, setProblem] = useState('');
  // The list is loaded again when the number of members changes.
  const load = useCallback(async () => {
    const { members } = await client.call('listMembers', { chatId, pageSize: maxShown });
    return members.sort((one, other) => other.role - one.role);
  }, [client, chatId, memberCount]);
  const { value: members, problem: loadProblem, reload } = useLoaded(load);
  const manages = type !== ChatType.DIRECT && ownRole >= ChatRole.ADMIN;

  const change = async (act: () => Promise<unknown>) => {
    try {
      await act();
      setProblem('');
    } catch (error) {
      setProblem(explain(error));
    }
    reload();
  };
  const mayChange = ({ user, role }: Member) =>
    manages && user?.id !== session.userId && (ownRole === ChatRole.OWNER || role < ownRole);
  const leave = async () => {
    await client.call('leaveChat', { chatId });
    workspace.chats.remove(chatId);
    navigate(undefined);
  };

  return (
    <Dialog title="Members" side onClose={onClose}>
      <Problem text={problem || loadProblem} />
      {manages && (
        <AddMemberForm
          online={online}
          members={members ?? []}
          onAdd={(userId) => change(() => client.call('addMembers', { chatId, userIds: [userId] }))}
        />
      )}
      <ul class="member-list" aria-busy={!members}>
        {members?.map((member) => (
          <MemberItem
            key={member.user?.id}
            member={member}
            own={member.user?.id === session.userId}
            online={online.has(member.user?.id ?? '')}
            ownRole={mayChange(member) ? ownRole : undefined}
            onRole={(role) => change(() => client.call('updateMember', { chatId, userId: member.user!.id, role }))}
            onRemove={() => change(() => client.call('removeMember', { chatId, userId: member.user!.id }))}
          />
        ))}
      </ul>
      {memberCount > maxShown && (
        <p class="hint">
          These are {maxShown} of {memberCount}.
        </p>
      )}
      {type !== ChatType.DIRECT && (
        <div class="dialog-actions">
          <button type="button" class="button button-danger" onClick={() => setLeaving(true)}>
            Leave this chat
          </button>
        </div>
      )}
      {leaving && (
        <ConfirmDialog
          title="Leave"
          question={`Leave “${titleOf(chat)}”?${type === ChatType.GROUP ? ' You can only come back when somebody adds you.' : ''}`}
          action="Leave"
          onConfirm={leave}
          onClose={() => setLeaving(false)}
        />
      )}
    </Dialog>
  );
}
