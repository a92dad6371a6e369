import type { Complete } from '../model/complete.ts';

/** A oneof of the contract whose values must list every field. */
export type CompleteOneof<T> = T extends { $case: infer Case; value: infer Value }
  ? { $case: Case; value: Complete<Value> }
  : never;
