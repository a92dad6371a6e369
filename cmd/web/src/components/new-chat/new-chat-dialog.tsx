import { useState } from 'preact/hooks';
import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { navigate } from '../../routes/use-route.ts';
import { explain } from '../../session/explain.ts';
import { Dialog } from '../controls/dialog.tsx';
import { Problem } from '../controls/problem.tsx';
import { Tabs } from '../controls/tabs.tsx';
import { DirectTab } from './direct-tab.tsx';
import { GroupTab } from './group-tab.tsx';
import { RoomsTab } from './rooms-tab.tsx';

const tabs = [
  { id: 'rooms', label: 'Rooms', content: RoomsTab },
  { id: 'direct', label: 'Person', content: DirectTab },
  { id: 'group', label: 'Group', content: GroupTab },
] as const;

/** The dialog that joins or creates a room, opens a direct chat, or creates a group. */
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
