/** A message that the service has not answered yet. */
export interface PendingMessage {
  chatId: string;
  text: string;
  /** What a program added to the text. */
  data?: Record<string, unknown> | undefined;
  clientMessageId: string;
}
