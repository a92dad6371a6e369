import { useId, useState } from 'preact/hooks';
import type { Member, User } from '../../../../../pkg/chat-client/index.ts';
import { nameOf } from '../../text/names.ts';

interface Props {
  online: ReadonlyMap<string, User>;
  members: readonly Member[];
  onAdd: (userId: string) => Promise<void>;
}

/** Adds a user to the chat by id, and suggests users who are online. */
export function AddMemberForm({ online, members, onAdd }: Props) {
  const id = useId();
  const [userId, setUserId] = useState('');
  const known = new Set(members.map(({ user }) => user?.id));
  const proposed = [...online.values()].filter((user) => !known.has(user.id));
  const submit = async (event: Event) => {
    event.preventDefault();
    await onAdd(userId.trim());
    setUserId('');
  };
  return (
    <form class="inline-form" onSubmit={(event) => void submit(event)}>
      <label class="visually-hidden" for={id}>
        User id
      </label>
      <input
        id={id}
        class="input"
        list={`${id}-people`}
        placeholder="User id, guest:name for guests"
        value={userId}
        required
        pattern="\S+"
        maxLength={128}
        onInput={(event) => setUserId(event.currentTarget.value)}
      />
      <datalist id={`${id}-people`}>
        {proposed.map((user) => (
          <option key={user.id} value={user.id}>
            {nameOf(user)}
          </option>
        ))}
      </datalist>
      <button type="submit" class="button">
        Add
      </button>
    </form>
  );
}
