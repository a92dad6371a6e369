/** The service's confirmation that it stored a message durably. */
export interface Receipt {
  messageId: string;
  /** The message's sequence number in the chat. 0 if the service has not numbered it yet; the event `message` carries the number. */
  seq: number;
  createdAt: Date;
}

/** The service's confirmation that it stored an edit or deletion durably. */
export interface ChangeReceipt {
  messageId: string;
  /** The number of the change, which is the message's `updateSeq` until its next change. */
  seq: number;
  createdAt: Date;
}
