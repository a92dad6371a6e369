import { useState } from 'preact/hooks';
import type { Chat } from '../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../chats/workspace.ts';
import { explain } from '../session/explain.ts';
import { Problem } from './confirm-dialog.tsx';
import { Dialog } from './dialog.tsx';
import { DirectTab } from './direct-tab.tsx';
import { GroupTab } from './group-tab.tsx';
import { RoomsTab } from './rooms-tab.tsx';
import { Tabs } from './tabs.tsx';
import { navigate } from './use-route.ts';

export interface NewChatTabProps {
  workspace: Workspace;
  /** Opens the chat that the function resolves with, and closes the dialog; what it throws is shown. */
  onOpen: (open: () => Promise<Chat | undefined>) => void;
}

const tabs = [
  { id: 'rooms', label: 'Rooms', content: RoomsTab },
  { id: 'direct', label: 'Person', content: DirectTab },
  { id: 'group', label: 'Group', content: GroupTab },
] as const;

/** Joins or makes a room, or begins to talk to one person or several. */
export function NewChatDialog({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const [selected, setSelected] = useState<(typeof tabs)[number]['id']>('rooms');
  const [problem, setProblem] = useState('');
  const open = async (make: () => Promise<Chat | undefined>) => {
    try {
      const chat = await make();
      if (!chat) return;
      workspace.chats.add(chat);
      onClose();
      navigate(chat.id);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const Content = tabs.find(({ id }) => id === selected)!.content;
  return (
    <Dialog title="Start a chat" onClose={onClose}>
      <Tabs
        label="Kind of chat"
        tabs={tabs}
        selected={selected}
        onSelect={(id) => {
          setSelected(id);
          setProblem('');
        }}
      >
        <Problem text={problem} />
        <Content workspace={workspace} onOpen={(make) => void open(make)} />
      </Tabs>
    </Dialog>
  );
}
