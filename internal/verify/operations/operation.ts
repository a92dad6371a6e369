import type { Operation as ContractOperation } from '../../model/operations.ts';
import type { Participant } from '../clients/participant.ts';

/** One kind of thing that clients do. */
export interface Operation {
  name: string;
  /** The operations of the contract that it asks for. */
  asks: readonly ContractOperation[];
  /** How often it is chosen, in comparison with the others. */
  weight: number;
  /** Chooses what to do it to; undefined: it is not possible now. */
  prepare(participant: Participant): (() => Promise<unknown>) | undefined;
}
