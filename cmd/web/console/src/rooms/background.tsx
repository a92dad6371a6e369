import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ReplayDialog } from '../components/replay-dialog.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toDuration } from '../text/to-duration.ts';
import type { Room, RoomProps } from './room.ts';

interface Sink {
  name: string;
  enabled: boolean;
  waitingChats: number;
  chatsToRegister: number;
  lagSeconds: number | null;
}

interface Background {
  sinks: Sink[];
  deletedChats: number;
  atMost: number;
  ownRelay: { sink: string; lagSeconds: number; failure?: string } | null;
}

function View({ api }: RoomProps) {
  const [sink, setSink] = useState<string>();
  const { value, problem, reload } = usePolled(
    useCallback(() => api.get<Background>('background'), [api]),
    5_000,
  );
  if (!value) return <Problem text={problem} />;
  const { sinks, deletedChats, atMost, ownRelay } = value;
  const count = (number: number) => (number === atMost ? `${atMost} or more` : number);
  const columns: Column<Sink>[] = [
    { title: 'Sink', cell: ({ name }) => name },
    { title: 'Changes are recorded', cell: ({ enabled }) => (enabled ? 'yes' : 'no') },
    { title: 'Chats that wait', numeric: true, cell: ({ waitingChats }) => count(waitingChats) },
    {
      title: 'Late by',
      numeric: true,
      cell: ({ lagSeconds }) => (lagSeconds === null ? '–' : toDuration(lagSeconds)),
    },
    { title: 'Older chats to register', numeric: true, cell: ({ chatsToRegister }) => count(chatsToRegister) },
    {
      title: 'Acts',
      cell: ({ name }) => (
        <button type="button" class="small-button" onClick={() => setSink(name)}>
          Replay<span class="visually-hidden"> a chat to {name}</span>
        </button>
      ),
    },
  ];
  return (
    <>
      <Problem text={problem} />
      <h2>Export</h2>
      <DataTable
        caption="Sinks"
        columns={columns}
        rows={sinks}
        keyOf={({ name }) => name}
        empty="No sink has been used."
      />
      {ownRelay && (
        <p class={ownRelay.failure ? 'bad' : 'good'}>
          The relay of this process is {toDuration(ownRelay.lagSeconds)} late
          {ownRelay.failure ? ` and fails: ${ownRelay.failure}` : ''}.
        </p>
      )}
      {sink !== undefined && <ReplayDialog api={api} sink={sink} onDone={reload} onClose={() => setSink(undefined)} />}
      <h2>Removal</h2>
      <p>Deleted chats whose messages are not all removed yet: {count(deletedChats)}</p>
    </>
  );
}

export const background: Room = { id: 'background', title: 'Background', View };
