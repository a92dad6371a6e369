import { useCallback, useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { type Action, ActionDialog } from '../components/action-dialog.tsx';
import { ChatMessages } from '../components/chat-messages.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Search } from '../components/search.tsx';
import { usePolled } from '../session/use-polled.ts';
import { toTime } from '../text/to-time.ts';
import type { Room, RoomProps } from './room.ts';

interface BusyChat {
  chatId: string;
  perMinute: number;
  lastSeq: number;
  readers: number;
}

interface Found {
  chat: { id: string; type: string; name: string; lastSeq: string; memberCount: number; createdAt: string };
  members: { user: { id: string; name: string }; role: string; joinedAt: string }[];
  nextPageToken: string;
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

function View({ api }: RoomProps) {
  const [chatId, setChatId] = useState('');
  const [problem, setProblem] = useState('');
  const busy = usePolled(
    useCallback(() => api.get<{ chats: BusyChat[] }>('chats'), [api]),
    5_000,
  );
  const find = async (text: string) => {
    setProblem('');
    if (uuid.test(text)) return setChatId(text);
    try {
      const { rooms } = await api.get<{ rooms: { id: string; name: string }[] }>(
        `rooms?name=${encodeURIComponent(text)}`,
      );
      const room = rooms.find(({ name }) => name === text) ?? rooms[0];
      if (room) setChatId(room.id);
      else setProblem('There is no such room.');
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const columns: Column<BusyChat>[] = [
    { title: 'Chat', cell: (chat) => <code>{chat.chatId}</code> },
    { title: 'Changes a minute', numeric: true, cell: ({ perMinute }) => perMinute.toFixed(1) },
    { title: 'Last number', numeric: true, cell: ({ lastSeq }) => lastSeq },
    { title: 'Readers here', numeric: true, cell: ({ readers }) => readers },
    {
      title: 'Acts',
      cell: (chat) => (
        <button type="button" class="small-button" onClick={() => setChatId(chat.chatId)}>
          Show<span class="visually-hidden"> {chat.chatId}</span>
        </button>
      ),
    },
  ];
  return (
    <>
      <Search label="Id of a chat, or name of a room" onSearch={(text) => void find(text)} />
      <Problem text={problem || busy.problem} />
      {chatId && <ChatView key={chatId} api={api} chatId={chatId} />}
      <h2>Busiest chats with readers on this process</h2>
      <DataTable
        caption="Busiest chats"
        columns={columns}
        rows={busy.value?.chats}
        keyOf={(chat) => chat.chatId}
        empty="Nobody reads a chat here."
      />
    </>
  );
}

/** The last word of a value of an enumeration: `room` of CHAT_TYPE_ROOM. */
function wordOf(name: string): string {
  return name.slice(name.lastIndexOf('_') + 1).toLowerCase();
}

/** One chat and its members. */
function ChatView({ api, chatId }: RoomProps & { chatId: string }) {
  const [action, setAction] = useState<Action>();
  const { value, problem, reload } = usePolled(
    useCallback(() => api.get<Found>(`chats/${chatId}`), [api, chatId]),
    10_000,
  );
  const ban = ({ id, name }: { id: string; name: string }) =>
    setAction({
      title: 'Ban from the chat',
      question: `${name || id} is taken out of the chat and may not join it again.`,
      label: 'Ban',
      reason: 'required',
      run: (reason) => api.post(`chats/${chatId}/ban`, { userId: id, reason }),
    });
  const remove = () =>
    setAction({
      title: 'Delete the chat',
      question: 'The chat and its messages are removed for all members. This cannot be undone.',
      label: 'Delete',
      reason: 'none',
      run: () => api.post(`chats/${chatId}/delete`),
    });
  const columns: Column<Found['members'][number]>[] = [
    { title: 'Member', cell: ({ user }) => user.name || user.id },
    { title: 'User id', cell: ({ user }) => <code>{user.id}</code> },
    { title: 'Role', cell: ({ role }) => wordOf(role) },
    { title: 'Since', cell: ({ joinedAt }) => toTime(joinedAt) },
    {
      title: 'Acts',
      cell: ({ user }) => (
        <button type="button" class="small-button" onClick={() => ban(user)}>
          Ban<span class="visually-hidden"> {user.name || user.id} from the chat</span>
        </button>
      ),
    },
  ];
  return (
    <section aria-label="The chat">
      <h2>{value?.chat.name || chatId}</h2>
      <Problem text={problem} />
      {value && (
        <p class="row-actions">
          {wordOf(value.chat.type)}, {value.chat.memberCount} members, last number {value.chat.lastSeq}, since{' '}
          {toTime(value.chat.createdAt)}
          <button type="button" class="small-button" onClick={remove}>
            Delete the chat
          </button>
        </p>
      )}
      <DataTable
        caption="Members"
        columns={columns}
        rows={value?.members}
        keyOf={({ user }) => user.id}
        empty="No member."
      />
      {value?.nextPageToken && <p class="hint">The first 50 members are shown.</p>}
      <ChatMessages api={api} chatId={chatId} />
      <ActionDialog action={action} onDone={reload} onClose={() => setAction(undefined)} />
    </section>
  );
}

export const chats: Room = { id: 'chats', title: 'Chats', View };
