import { hash } from 'node:crypto';

/** The partition of a chat: the same on every node, and for ever while the number of partitions is the same. */
export function partitionOf(chatId: string, partitions: number): number {
  return hash('sha256', chatId, 'buffer').readUInt32BE(0) % partitions;
}
