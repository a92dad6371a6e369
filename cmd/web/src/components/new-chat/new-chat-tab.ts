import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';

/** The properties of each tab of the dialog. */
export interface NewChatTabProps {
  workspace: Workspace;
  /** Opens the chat that the function resolves with and closes the dialog. The dialog shows the error if it throws. */
  onOpen: (open: () => Promise<Chat | undefined>) => void;
}
