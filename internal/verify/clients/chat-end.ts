/** The end of a chat: its last number, and the `seq` of the last message that pages contain. */
export interface ChatEnd {
  number: number;
  /** The epoch of the number. */
  epoch: string;
  message: number;
}
