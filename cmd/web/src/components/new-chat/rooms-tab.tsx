import { useCallback, useState } from 'preact/hooks';
import { ChatRole } from '../../../../../pkg/chat-client/index.ts';
import { Avatar } from '../controls/avatar.tsx';
import { Field } from '../controls/field.tsx';
import { Problem } from '../controls/problem.tsx';
import { useLoaded } from '../controls/use-loaded.ts';
import type { NewChatTabProps } from './new-chat-tab.ts';

/** Lists rooms to join. A new name creates a room. */
export function RoomsTab({ workspace: { client }, onOpen }: NewChatTabProps) {
  const [name, setName] = useState('');
  const load = useCallback(() => client.call('listRooms', { filter: name.trim(), pageSize: 50 }), [client, name]);
  const { value, problem } = useLoaded(load);
  const rooms = value?.rooms ?? [];
  const isNew = name.trim() !== '' && value && !rooms.some((room) => room.name === name.trim());
  const join = (roomName: string) => onOpen(() => client.joinRoom(roomName));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') join(name.trim());
      }}
    >
      <Field
        name="room"
        label="Room"
        value={name}
        required={false}
        maxLength={64}
        hint="Find one, or name a new one."
        onInput={setName}
      />
      <Problem text={problem} />
      {isNew && (
        <button type="submit" class="button button-primary button-wide">
          Create “{name.trim()}”
        </button>
      )}
      <ul class="choice-list" aria-label="Rooms">
        {rooms.map((room) => (
          <li key={room.id}>
            <button type="button" class="choice" onClick={() => join(room.name)}>
              <Avatar id={room.id} name={room.name} room />
              <span class="choice-name">{room.name}</span>
              <span class="choice-note">
                {room.memberCount === 1 ? '1 member' : `${room.memberCount} members`}
                {room.ownRole !== ChatRole.UNSPECIFIED && ' · joined'}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </form>
  );
}
