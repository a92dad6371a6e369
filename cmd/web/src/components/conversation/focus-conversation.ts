/** Moves the focus to the composer, or to the messages of a chat in which the user may not write. */
export function focusConversation(): void {
  const composer = document.querySelector<HTMLElement>('.composer textarea');
  (composer ?? document.querySelector<HTMLElement>('.message-scroller'))?.focus();
}
