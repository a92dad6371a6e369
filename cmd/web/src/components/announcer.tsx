import type { Workspace } from '../chats/workspace.ts';
import { useRoute } from '../routes/use-route.ts';
import { useStore } from '../store/use-store.ts';
import { nameOf, titleOf } from '../text/names.ts';
import { systemText } from '../text/system-text.ts';

/** Longer texts are not read out to their end. */
const maxLength = 200;

/** Reads out what others say: in the open chat, and that there is something new in another one. */
export function Announcer({ workspace }: { workspace: Workspace }) {
  const openId = useRoute();
  const message = useStore(workspace.heard);
  const problem = useStore(workspace.problem);
  const chat = message && workspace.chats.get(message.chatId);
  return (
    <div class="visually-hidden" aria-live="polite" data-testid="announcer">
      {message && chat && (
        <p key={message.id}>
          {message.chatId !== openId && `${titleOf(chat)}: `}
          {message.system ? systemText(message) : `${nameOf(message.sender)}: ${message.text.slice(0, maxLength)}`}
        </p>
      )}
      {problem && <p key={problem}>{problem}</p>}
    </div>
  );
}
