import { hueOf, initialsOf } from '../../text/names.ts';
import { Icon } from './icon.tsx';

interface Props {
  /** Determines the colour. */
  id: string;
  name: string;
  /** Rooms have a sign instead of initials. */
  room?: boolean;
  online?: boolean;
  size?: 'small' | 'medium';
}

/** A round picture of a user or chat. It is decorative: the name is written beside it. */
export function Avatar({ id, name, room = false, online = false, size = 'medium' }: Props) {
  return (
    <span class={`avatar avatar-${size}`} style={{ '--hue': String(hueOf(id)) }} aria-hidden="true">
      {room ? <Icon name="hash" /> : initialsOf(name)}
      {online && <span class="online-dot" />}
    </span>
  );
}
