import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Action, ActionDialog } from '../components/action-dialog.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Search } from '../components/search.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toDuration } from '../text/to-duration.ts';
import type { Room, RoomProps } from './room.ts';

interface Stream {
  id: string;
  userId: string;
  name: string;
  transport: string;
  openedAt: string;
  waitingBytes: number;
  subscriptions: number;
}

function View({ api }: RoomProps) {
  const [userId, setUserId] = useState('');
  const [action, setAction] = useState<Action>();
  const load = useCallback(
    () => api.get<{ streams: Stream[]; total: number }>(`streams?userId=${encodeURIComponent(userId)}`),
    [api, userId],
  );
  const { value, problem, reload } = usePolled(load, 3_000);
  const close = (stream: Stream) =>
    setAction({
      title: 'Close the stream',
      question: `The stream of ${stream.name || stream.userId} ends. Its client may connect again.`,
      label: 'Close it',
      reason: 'optional',
      run: (reason) => api.post(`streams/${stream.id}/close`, { reason }),
    });
  const columns: Column<Stream>[] = [
    { title: 'User', cell: ({ name, userId: id }) => name || id },
    { title: 'User id', cell: (stream) => <code>{stream.userId}</code> },
    { title: 'Transport', cell: ({ transport }) => transport },
    {
      title: 'Open for',
      numeric: true,
      cell: ({ openedAt }) => toDuration((Date.now() - Date.parse(openedAt)) / 1_000),
    },
    { title: 'Bytes that wait', numeric: true, cell: ({ waitingBytes }) => waitingBytes.toLocaleString('en') },
    { title: 'Chats', numeric: true, cell: ({ subscriptions }) => subscriptions },
    {
      title: 'Acts',
      cell: (stream) => (
        <button type="button" class="small-button" onClick={() => close(stream)}>
          Close<span class="visually-hidden"> the stream of {stream.name || stream.userId}</span>
        </button>
      ),
    },
  ];
  return (
    <>
      <Search label="User id" onSearch={setUserId} />
      <Problem text={problem} />
      {value && (
        <p class="hint">
          {value.streams.length} of {value.total} streams of this process, slow readers first.
        </p>
      )}
      <DataTable
        caption="Open streams"
        columns={columns}
        rows={value?.streams}
        keyOf={({ id }) => id}
        empty="No stream."
      />
      <ActionDialog action={action} onDone={reload} onClose={() => setAction(undefined)} />
    </>
  );
}

export const streams: Room = { id: 'streams', title: 'Streams', View };
