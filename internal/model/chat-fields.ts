/** What UpdateChat changes of a group or room. */
export interface ChatFields {
  name: string;
  description: string;
  /** Of a program; the service does not interpret it. An object that JSON can hold. */
  data: Record<string, unknown>;
}

/** What a caller asks to change of a chat. Fields that are absent stay as they are. */
export interface ChatUpdateRequest {
  chatId: string;
  /** Unique among the caller's changes in the chat. It makes a retry safe: a repetition is recognised. Empty: it is not. */
  clientChangeId: string;
  fields: { [F in keyof ChatFields]?: ChatFields[F] | undefined };
}
