import { useEffect, useState } from 'preact/hooks';
import { type Chat, ChatRole, type User } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { complete, findTyped, type Suggestion, suggest } from '../../mentions/typed-mention.ts';

/** Suggests members while a mention is typed: the arrow keys choose, Enter and Tab take the choice, Escape closes the list. */
export function useMentionTyping(workspace: Workspace, chat: Chat, text: string, caret: number) {
  const [users, setUsers] = useState<readonly User[]>([]);
  const [chosen, setChosen] = useState(0);
  /** The place of the mention for which the list was closed. */
  const [closedAt, setClosedAt] = useState<number>();
  const typed = findTyped(text, caret);
  const isTyping = typed !== undefined;
  useEffect(() => {
    if (!isTyping) return setClosedAt(undefined);
    let current = true;
    // Without names nothing is suggested.
    workspace.members.load(chat.id).then(
      (loaded) => current && setUsers(loaded),
      () => {},
    );
    return () => {
      current = false;
    };
  }, [workspace, chat.id, isTyping]);
  useEffect(() => setChosen(0), [typed?.typed]);
  const { userId } = workspace.session;
  const isOpen = typed !== undefined && typed.start !== closedAt;
  const suggestions = isOpen ? suggest(typed.typed, users, userId, chat.ownRole >= ChatRole.ADMIN) : [];
  const take = (suggestion: Suggestion | undefined) =>
    suggestion && typed ? complete(text, typed, suggestion.name) : undefined;
  return {
    suggestions,
    chosen,
    take,
    /** Handles a key; returns what the text becomes, `true` if the key is used up, or undefined. */
    onKey(key: string): { text: string; caret: number } | true | undefined {
      if (suggestions.length === 0) return undefined;
      switch (key) {
        case 'ArrowDown':
        case 'ArrowUp':
          setChosen((chosen + (key === 'ArrowDown' ? 1 : suggestions.length - 1)) % suggestions.length);
          return true;
        case 'Enter':
        case 'Tab':
          return take(suggestions[chosen]);
        case 'Escape':
          setClosedAt(typed?.start);
          return true;
        default:
          return undefined;
      }
    },
  };
}
