/** A message that the service has not answered yet. */
export interface PendingMessage {
  chatId: string;
  text: string;
  clientMessageId: string;
}
