import { useCallback } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toDuration } from '../text/to-duration.ts';
import type { Room, RoomProps } from './room.ts';

interface Node {
  id: string;
  host: string;
  pid: number;
  version: string;
  roles: string[];
  startedAt: string;
  seenAt: string;
  sessions: number;
  connections: number;
  ready: boolean;
  own: boolean;
}

const columns: Column<Node>[] = [
  { title: 'Host', cell: ({ host, own }) => (own ? `${host} (this one)` : host) },
  { title: 'Process', numeric: true, cell: ({ pid }) => pid },
  { title: 'State', cell: ({ ready }) => <span class={ready ? 'good' : 'bad'}>{ready ? 'ready' : 'not ready'}</span> },
  { title: 'Version', cell: ({ version }) => version },
  { title: 'Roles', cell: ({ roles }) => roles.join(', ') },
  {
    title: 'Up for',
    numeric: true,
    cell: ({ startedAt, seenAt }) => toDuration((Date.parse(seenAt) - Date.parse(startedAt)) / 1_000),
  },
  { title: 'Streams', numeric: true, cell: ({ sessions }) => sessions },
  { title: 'Connections', numeric: true, cell: ({ connections }) => connections },
];

function View({ api }: RoomProps) {
  const { value, problem } = usePolled(
    useCallback(() => api.get<{ nodes: Node[] }>('nodes'), [api]),
    5_000,
  );
  return (
    <>
      <Problem text={problem} />
      <DataTable
        caption="Processes that live"
        columns={columns}
        rows={value?.nodes}
        keyOf={({ id }) => id}
        empty="None."
      />
    </>
  );
}

export const nodes: Room = { id: 'nodes', title: 'Nodes', View };
