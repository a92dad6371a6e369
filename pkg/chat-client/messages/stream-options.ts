export interface StreamOptions {
  /** The beginning of the text. */
  text?: string;
  /** The id by which the service recognises a repetition. A new one by default. */
  clientMessageId?: string;
}
