import { useCallback } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { usePolled } from '../session/use-polled.ts';
import type { Room, RoomProps } from './room.ts';

interface Setting {
  name: string;
  value: string | null;
  reloadable: boolean;
}

const columns: Column<Setting>[] = [
  { title: 'Setting', cell: ({ name }) => <code>{name}</code> },
  { title: 'Value', cell: ({ value }) => (value === null ? <span class="hint">default</span> : <code>{value}</code>) },
  { title: 'A new value applies', cell: ({ reloadable }) => (reloadable ? 'at SIGHUP' : 'after a restart') },
];

function View({ api }: RoomProps) {
  const { value, problem } = usePolled(
    useCallback(() => api.get<{ settings: Setting[] }>('settings'), [api]),
    30_000,
  );
  return (
    <>
      <Problem text={problem} />
      <DataTable
        caption="Settings in force"
        columns={columns}
        rows={value?.settings}
        keyOf={({ name }) => name}
        empty="None."
      />
    </>
  );
}

export const settings: Room = { id: 'settings', title: 'Settings', View };
