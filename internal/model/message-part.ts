/** What a streamed message grew by under one number of its chat. Shared by its readers: never change it. */
export interface MessagePart {
  readonly chatId: string;
  readonly messageId: string;
  /** The number of this change. */
  readonly seq: number;
  /** The length of the message's text before it, in Unicode characters. */
  readonly offset: number;
  readonly text: string;
}
