import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Pager } from '../components/pager.tsx';
import { Search } from '../components/search.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toTime } from '../text/to-time.ts';
import type { Room, RoomProps } from './room.ts';

interface AuditEvent {
  id: string;
  at: string;
  actorId: string;
  action: string;
  chatId: string;
  detail: object | null;
}

const columns: Column<AuditEvent>[] = [
  { title: 'At', cell: ({ at }) => toTime(at) },
  { title: 'By', cell: ({ actorId }) => <code>{actorId}</code> },
  { title: 'Act', cell: ({ action }) => action },
  { title: 'Chat', cell: ({ chatId }) => (chatId ? <code>{chatId}</code> : '–') },
  { title: 'Details', cell: ({ detail }) => <code>{JSON.stringify(detail ?? {})}</code> },
];

function View({ api }: RoomProps) {
  const [actorId, setActorId] = useState('');
  const [tokens, setTokens] = useState(['']);
  const token = tokens.at(-1)!;
  const load = useCallback(() => {
    const query = new URLSearchParams({ actorId, pageToken: token });
    return api.get<{ events: AuditEvent[]; nextPageToken: string }>(`audit?${query}`);
  }, [api, actorId, token]);
  const { value, problem } = usePolled(load, 10_000);
  const search = (text: string) => {
    setTokens(['']);
    setActorId(text);
  };
  return (
    <>
      <Search label="Acts of the user with this id" onSearch={search} />
      <Problem text={problem} />
      <DataTable
        caption="Administrative acts, newest first"
        columns={columns}
        rows={value?.events}
        keyOf={({ id }) => id}
        empty="No act."
      />
      <Pager tokens={tokens} next={value?.nextPageToken} onTurn={setTokens} />
    </>
  );
}

export const audit: Room = { id: 'audit', title: 'Audit log', View };
