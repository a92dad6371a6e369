import { useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import type { ConsoleApi } from '../session/console-api.ts';
import { toTime } from '../text/to-time.ts';
import { type Action, ActionDialog } from './action-dialog.tsx';
import { type Column, DataTable } from './data-table.tsx';

interface Message {
  id: string;
  seq: number;
  sender: { id: string; name: string };
  text: string;
  createdAt: string;
  editedAt?: string;
  deleted?: { at: string; by: string };
  /** The kind of a message that the service wrote. */
  system?: string;
}

interface Look {
  messages: Message[];
  hasMore: boolean;
}

/** The messages of a chat, once somebody asks for them: the audit log has each look, so nothing is read by itself. */
export function ChatMessages({ api, chatId }: { api: ConsoleApi; chatId: string }) {
  const [look, setLook] = useState<Look>();
  /** The number before which the shown messages end; undefined: they are the newest. */
  const [before, setBefore] = useState<number>();
  const [problem, setProblem] = useState('');
  const [action, setAction] = useState<Action>();
  const show = async (beforeSeq: number | undefined) => {
    try {
      setLook(await api.post<Look>(`chats/${chatId}/look`, { beforeSeq: `${beforeSeq ?? ''}` }));
      setBefore(beforeSeq);
      setProblem('');
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const remove = (message: Message) =>
    setAction({
      title: 'Delete the message',
      question: `Message ${message.seq} of ${nameOf(message)} loses its text for everybody. It cannot be restored.`,
      label: 'Delete',
      reason: 'required',
      run: (reason) => api.post(`chats/${chatId}/messages/${message.id}/delete`, { reason }),
    });
  const columns: Column<Message>[] = [
    { title: 'Number', cell: ({ seq }) => seq },
    { title: 'Sender', cell: nameOf },
    { title: 'Sent', cell: ({ createdAt }) => toTime(createdAt) },
    { title: 'Text', cell: (message) => <MessageText message={message} /> },
    {
      title: 'Acts',
      cell: (message) =>
        !message.deleted &&
        !message.system && (
          <button type="button" class="small-button" onClick={() => remove(message)}>
            Delete<span class="visually-hidden"> message {message.seq}</span>
          </button>
        ),
    },
  ];
  const oldest = look?.messages[0]?.seq;
  return (
    <>
      <h3>Messages</h3>
      <p class="row-actions">
        <button type="button" class="small-button" onClick={() => void show(undefined)}>
          Show the newest
        </button>
        {look?.hasMore && (
          <button type="button" class="small-button" onClick={() => void show(oldest)}>
            Show older ones
          </button>
        )}
        <span class="hint">The audit log has each look.</span>
      </p>
      <Problem text={problem} />
      {look && (
        <DataTable
          caption="Messages of the chat"
          columns={columns}
          rows={look.messages}
          keyOf={({ id }) => id}
          empty="No message."
        />
      )}
      <ActionDialog action={action} onDone={() => void show(before)} onClose={() => setAction(undefined)} />
    </>
  );
}

function MessageText({ message: { text, deleted, system, editedAt } }: { message: Message }) {
  if (deleted) return <span class="hint">deleted by {deleted.by}</span>;
  if (system) return <span class="hint">{system.replaceAll('_', ' ')}</span>;
  return (
    <>
      {text}
      {editedAt && <span class="hint"> (edited)</span>}
    </>
  );
}

function nameOf({ sender }: Message): string {
  return sender.name || sender.id;
}
