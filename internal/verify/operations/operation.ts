import type { Operation as ContractOperation } from '../../model/operations.ts';
import type { Participant } from '../clients/participant.ts';

/** One kind of random operation. */
export interface Operation {
  name: string;
  /** The operations of the contract that it uses. */
  asks: readonly ContractOperation[];
  /** How often it is chosen, relative to the others. */
  weight: number;
  /** Chooses the chat, the user and so on, and returns the work; undefined if it is not possible now. */
  prepare(participant: Participant): (() => Promise<unknown>) | undefined;
}
