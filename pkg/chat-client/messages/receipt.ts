/** Where a message came to stand. */
export interface Receipt {
  messageId: string;
  /** 0: the service keeps the message and will write it; the number comes with the message itself. */
  seq: number;
  createdAt: Date;
}
