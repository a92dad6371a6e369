import { ChatRole, type Member } from '../../../../../pkg/chat-client/index.ts';
import { nameOf, roleName } from '../../text/names.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Icon } from '../controls/icon.tsx';

interface Props {
  member: Member;
  /** Whether it is the user. */
  own: boolean;
  online: boolean;
  /** The user's role, if the user may change this member. */
  ownRole: ChatRole | undefined;
  onRole: (role: ChatRole) => Promise<void>;
  onRemove: () => Promise<void>;
}

const allRoles = [ChatRole.READER, ChatRole.MEMBER, ChatRole.ADMIN, ChatRole.OWNER];

export function MemberItem({ member: { user, role }, own, online, ownRole, onRole, onRemove }: Props) {
  const name = nameOf(user);
  const roles = allRoles.filter((one) => ownRole === ChatRole.OWNER || one < (ownRole ?? 0));
  return (
    <li class="member">
      <Avatar id={user?.id ?? ''} name={name} online={online} />
      <span class="member-name">
        {name}
        {own && ' (you)'}
        <span class="member-id">
          {user?.id}
          {online && ' · online'}
        </span>
      </span>
      {ownRole === undefined ? (
        <span class={role >= ChatRole.ADMIN ? 'role role-high' : 'role'}>{roleName(role)}</span>
      ) : (
        <>
          <select
            class="role-select"
            aria-label={`Role of ${name}`}
            value={role}
            onChange={(event) => void onRole(Number(event.currentTarget.value) as ChatRole)}
          >
            {roles.map((one) => (
              <option key={one} value={one}>
                {roleName(one)}
              </option>
            ))}
          </select>
          <button type="button" class="icon-button" aria-label={`Remove ${name}`} onClick={() => void onRemove()}>
            <Icon name="close" />
          </button>
        </>
      )}
    </li>
  );
}
