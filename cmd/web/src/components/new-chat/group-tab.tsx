import { useState } from 'preact/hooks';
import { ChatType } from '../../../../../pkg/chat-client/index.ts';
import { Field } from '../controls/field.tsx';
import type { NewChatTabProps } from './new-chat-tab.ts';
import { PeopleChoice } from './people-choice.tsx';

/** A private group with a title and its first members. */
export function GroupTab({ workspace, onOpen }: NewChatTabProps) {
  const [name, setName] = useState('');
  const [ids, setIds] = useState('');
  const memberIds = [...new Set(ids.split(/[\s,]+/).filter((id) => id !== ''))];
  const chosen = new Set(memberIds);
  const toggle = (id: string) => {
    const others = memberIds.filter((one) => one !== id);
    setIds((chosen.has(id) ? others : [...memberIds, id]).join(' '));
  };
  const create = async () => {
    const { chat } = await workspace.client.call('createChat', { type: ChatType.GROUP, name: name.trim(), memberIds });
    return chat;
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onOpen(create);
      }}
    >
      <Field name="title" label="Title" maxLength={128} value={name} onInput={setName} />
      <Field
        name="members"
        label="Members"
        required={false}
        value={ids}
        hint="User ids, or choose below. More can be added later."
        onInput={setIds}
      />
      <PeopleChoice workspace={workspace} filter="" chosen={chosen} onChoose={({ id }) => toggle(id)} />
      <button type="submit" class="button button-primary button-wide">
        Create the group
      </button>
    </form>
  );
}
