import { useEffect } from 'preact/hooks';
import type { User } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';
import { nameOf } from '../../text/names.ts';
import { Avatar } from '../controls/avatar.tsx';

interface Props {
  workspace: Workspace;
  /** Only those whose name or id contains it. */
  filter: string;
  /** By user id; absent where one is chosen at once. */
  chosen?: ReadonlySet<string>;
  onChoose: (user: User) => void;
}

/** Lists the users who are online, to choose from. */
export function PeopleChoice({ workspace, filter, chosen, onChoose }: Props) {
  const { presence, session } = workspace;
  const online = useStore(presence.state);
  useEffect(() => {
    presence.load().catch(() => {});
  }, [presence]);
  const matches = ({ id, name }: User) => `${name} ${id}`.toLowerCase().includes(filter.toLowerCase());
  const people = [...online.values()].filter((user) => user.id !== session.userId && matches(user));
  if (people.length === 0) return <p class="hint">Nobody else is online{filter && ' by that name'}.</p>;
  return (
    <ul class="choice-list" aria-label="People who are online">
      {people.map((user) => (
        <li key={user.id}>
          <button type="button" class="choice" aria-pressed={chosen?.has(user.id)} onClick={() => onChoose(user)}>
            <Avatar id={user.id} name={nameOf(user)} online />
            <span class="choice-name">{nameOf(user)}</span>
            <span class="choice-note">{user.id}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
