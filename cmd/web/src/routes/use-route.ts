import { useEffect, useState } from 'preact/hooks';

/** The id of the chat that the address names (`#/chat/<id>`); undefined for the list alone. */
export function useRoute(): string | undefined {
  const [chatId, setChatId] = useState(readRoute);
  useEffect(() => {
    const read = () => setChatId(readRoute());
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return chatId;
}

export function routeTo(chatId: string | undefined): string {
  return chatId === undefined ? '#/' : `#/chat/${chatId}`;
}

/** Shows another chat, or the list. */
export function navigate(chatId: string | undefined): void {
  location.hash = routeTo(chatId);
}

function readRoute(): string | undefined {
  return /^#\/chat\/([0-9a-f-]{36})$/i.exec(location.hash)?.[1];
}
