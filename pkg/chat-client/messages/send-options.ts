export interface SendOptions {
  /** What programs need besides the text, an object that JSON can hold; at most 5 KiB. Clients that do not know it show the text. */
  data?: Record<string, unknown> | undefined;
  /** The id by which the service recognises a repetition. A new one by default. */
  clientMessageId?: string;
}
