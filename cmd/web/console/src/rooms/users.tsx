import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Action, ActionDialog } from '../components/action-dialog.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Search } from '../components/search.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toTime } from '../text/to-time.ts';
import type { Room, RoomProps } from './room.ts';

interface User {
  id: string;
  name: string;
}

interface Details {
  chats: { id: string; type: string; name: string; lastSeq: number; memberCount: number }[];
  sessions: { id: string; lastUsedAt: string; address: string; userAgent: string }[];
}

const refreshMs = 10_000;

function View({ api }: RoomProps) {
  const [prefix, setPrefix] = useState('');
  const [chosen, setChosen] = useState<User>();
  const load = useCallback(
    async () =>
      prefix === '' ? { users: [] } : api.get<{ users: User[] }>(`users?prefix=${encodeURIComponent(prefix)}`),
    [api, prefix],
  );
  const { value, problem } = usePolled(load, refreshMs);
  const columns: Column<User>[] = [
    { title: 'Name', cell: ({ name }) => name || '–' },
    { title: 'User id', cell: ({ id }) => <code>{id}</code> },
    {
      title: 'Acts',
      cell: (user) => (
        <button type="button" class="small-button" onClick={() => setChosen(user)}>
          Show<span class="visually-hidden"> {user.name || user.id}</span>
        </button>
      ),
    },
  ];
  return (
    <>
      <Search label="Beginning of the id or name" onSearch={setPrefix} />
      <Problem text={problem} />
      <DataTable caption="Users" columns={columns} rows={value?.users} keyOf={({ id }) => id} empty="No user." />
      {chosen && <UserView key={chosen.id} api={api} user={chosen} />}
    </>
  );
}

const chatColumns: Column<Details['chats'][number]>[] = [
  { title: 'Chat', cell: ({ id }) => <code>{id}</code> },
  { title: 'Name', cell: ({ name }) => name || '–' },
  { title: 'Type', cell: ({ type }) => type.toLowerCase() },
  { title: 'Members', numeric: true, cell: ({ memberCount }) => memberCount },
  { title: 'Last number', numeric: true, cell: ({ lastSeq }) => lastSeq },
];

const sessionColumns: Column<Details['sessions'][number]>[] = [
  { title: 'Last used', cell: ({ lastUsedAt }) => toTime(lastUsedAt) },
  { title: 'Address', cell: ({ address }) => address },
  { title: 'Program', cell: ({ userAgent }) => userAgent },
];

/** One user, and what can be done about them. */
function UserView({ api, user }: RoomProps & { user: User }) {
  const [action, setAction] = useState<Action>();
  const path = `users/${encodeURIComponent(user.id)}`;
  const { value, problem, reload } = usePolled(
    useCallback(() => api.get<Details>(path), [api, path]),
    refreshMs,
  );
  const name = user.name || user.id;
  const act = (label: string, question: string, reason: Action['reason'], to: string) => () =>
    setAction({
      title: `${label}: ${name}`,
      question,
      label,
      reason,
      run: (given) => api.post(`${path}/${to}`, reason === 'none' ? {} : { reason: given }),
    });
  return (
    <section aria-label={name}>
      <h2>{name}</h2>
      <Problem text={problem} />
      <p class="row-actions">
        <button
          type="button"
          class="small-button"
          onClick={act('Ban', 'All streams of the user end.', 'required', 'ban')}
        >
          Ban
        </button>
        <button
          type="button"
          class="small-button"
          onClick={act('Lift the ban', 'The user may sign in again.', 'none', 'unban')}
        >
          Lift the ban
        </button>
        <button
          type="button"
          class="small-button"
          onClick={act('Revoke all sessions', 'The user must sign in again everywhere.', 'required', 'revoke-sessions')}
        >
          Revoke all sessions
        </button>
      </p>
      <h3>Newest chats</h3>
      <DataTable
        caption="Chats of the user"
        columns={chatColumns}
        rows={value?.chats}
        keyOf={({ id }) => id}
        empty="No chat."
      />
      <h3>Sign-in sessions</h3>
      <DataTable
        caption="Sign-in sessions of the user"
        columns={sessionColumns}
        rows={value?.sessions}
        keyOf={({ id }) => id}
        empty="No session. Those of guests and of other issuers are not listed."
      />
      <ActionDialog action={action} onDone={reload} onClose={() => setAction(undefined)} />
    </section>
  );
}

export const users: Room = { id: 'users', title: 'Users', View };
