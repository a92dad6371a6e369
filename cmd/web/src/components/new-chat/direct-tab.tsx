import { useState } from 'preact/hooks';
import { Field } from '../controls/field.tsx';
import type { NewChatTabProps } from './new-chat-tab.ts';
import { PeopleChoice } from './people-choice.tsx';

/** One other person: by id, or of those who are online. */
export function DirectTab({ workspace, onOpen }: NewChatTabProps) {
  const [userId, setUserId] = useState('');
  const start = (id: string) => onOpen(() => workspace.client.openDirect(id));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        start(userId.trim());
      }}
    >
      <Field
        name="user"
        label="User"
        maxLength={128}
        value={userId}
        hint="The user name; guest:name for guests."
        onInput={setUserId}
      />
      {userId.trim() !== '' && (
        <button type="submit" class="button button-primary button-wide">
          Write to {userId.trim()}
        </button>
      )}
      <PeopleChoice workspace={workspace} filter={userId.trim()} onChoose={({ id }) => start(id)} />
    </form>
  );
}
