import type { Workspace } from '../chats/workspace.ts';
import { useRoute } from '../routes/use-route.ts';
import { useStore } from '../store/use-store.ts';
import { nameOf, titleOf } from '../text/names.ts';
import { systemText } from '../text/system-text.ts';

/** Maximum length of an announced text in characters; longer texts are cut. */
const maxLength = 200;

/** Announces messages of others to screen readers: their text in the open chat, only their arrival in other chats. */
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
