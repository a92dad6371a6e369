/**
 * T with every field listed, also those that may be undefined. What a converter returns has this type, so that a new field, optional
 * or not, fails to compile until the converter lists it. Of a union, each part by itself.
 */
export type Complete<T> = T extends unknown ? { [K in keyof Required<T>]: T[K] } : never;

/** The same for a oneof of the contract. */
export type CompleteOneof<T> = T extends { $case: infer Case; value: infer Value }
  ? { $case: Case; value: Complete<Value> }
  : never;
