/** A message that is not known to be committed. */
export interface PendingMessage {
  chatId: string;
  text: string;
  clientMessageId: string;
}
