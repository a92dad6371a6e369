import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Action, ActionDialog } from '../components/action-dialog.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Pager } from '../components/pager.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toTime } from '../text/to-time.ts';
import type { Room, RoomProps } from './room.ts';

interface Ban {
  user: { id: string; name: string };
  bannedBy: { id: string; name: string };
  reason: string;
  createdAt: string;
  expiresAt: string | null;
}

function View({ api }: RoomProps) {
  const [tokens, setTokens] = useState(['']);
  const [action, setAction] = useState<Action>();
  const token = tokens.at(-1)!;
  const load = useCallback(
    () => api.get<{ bans: Ban[]; nextPageToken: string }>(`bans?pageToken=${encodeURIComponent(token)}`),
    [api, token],
  );
  const { value, problem, reload } = usePolled(load, 10_000);
  const lift = ({ id, name }: Ban['user']) =>
    setAction({
      title: 'Lift the ban',
      question: `${name || id} may sign in again.`,
      label: 'Lift it',
      reason: 'none',
      run: () => api.post(`users/${encodeURIComponent(id)}/unban`),
    });
  const columns: Column<Ban>[] = [
    { title: 'User', cell: ({ user }) => user.name || user.id },
    { title: 'User id', cell: ({ user }) => <code>{user.id}</code> },
    { title: 'Reason', cell: ({ reason }) => reason },
    { title: 'By', cell: ({ bannedBy }) => bannedBy.name || bannedBy.id },
    { title: 'Since', cell: ({ createdAt }) => toTime(createdAt) },
    { title: 'Until', cell: ({ expiresAt }) => (expiresAt ? toTime(expiresAt) : 'it is lifted') },
    {
      title: 'Acts',
      cell: ({ user }) => (
        <button type="button" class="small-button" onClick={() => lift(user)}>
          Lift<span class="visually-hidden"> the ban of {user.name || user.id}</span>
        </button>
      ),
    },
  ];
  return (
    <>
      <Problem text={problem} />
      <DataTable
        caption="Users banned from the service"
        columns={columns}
        rows={value?.bans}
        keyOf={({ user }) => user.id}
        empty="Nobody is banned."
      />
      <Pager tokens={tokens} next={value?.nextPageToken} onTurn={setTokens} />
      <ActionDialog action={action} onDone={reload} onClose={() => setAction(undefined)} />
    </>
  );
}

export const bans: Room = { id: 'bans', title: 'Bans', View };
