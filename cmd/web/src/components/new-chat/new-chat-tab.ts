import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';

/** What each tab of the dialog is given. */
export interface NewChatTabProps {
  workspace: Workspace;
  /** Opens the chat that the function resolves with, and closes the dialog; what it throws is shown. */
  onOpen: (open: () => Promise<Chat | undefined>) => void;
}
