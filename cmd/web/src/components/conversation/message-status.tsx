import type { Outgoing } from '../../chats/outgoing.ts';
import type { ReadPositions } from '../../people/read-positions.ts';
import { useStore } from '../../store/use-store.ts';
import { Icon, type IconName } from '../controls/icon.tsx';

interface SentProps {
  positions: ReadPositions;
  seq: number;
  direct: boolean;
}

/** The status of a committed message: the members who have read it. */
export function SentStatus({ positions, seq, direct }: SentProps) {
  const marks = useStore(positions.state);
  let readers = 0;
  for (const mark of marks.values()) if (mark >= seq) readers += 1;
  if (readers === 0) return <Status icon="check" text="Sent" />;
  return <Status icon="checks" text={direct ? 'Read' : `Read by ${readers}`} strong />;
}

/** The status of an edit or a deletion that the service has not answered yet. */
export function ChangeStatus({ kind }: { kind: 'saving' | 'deleting' }) {
  return <Status icon="clock" text={kind === 'saving' ? 'Saving' : 'Deleting'} />;
}

/** The status of a message that is not committed yet. */
export function OutgoingStatus({ outgoing }: { outgoing: Outgoing }) {
  switch (outgoing.state) {
    case 'sending':
      return <Status icon="clock" text="Sending" />;
    case 'sent':
      return <Status icon="check" text="Sent" />;
    case 'failed':
      return <Status icon="warning" text="Not sent" />;
    default:
      return outgoing.state satisfies never;
  }
}

function Status({ icon, text, strong = false }: { icon: IconName; text: string; strong?: boolean }) {
  return (
    <span class={strong ? 'status status-read' : 'status'} title={text}>
      <Icon name={icon} />
      <span class="visually-hidden">{text}</span>
    </span>
  );
}
