/**
 * T with every optional field required to be listed, though it may be undefined; for a union, each member separately. Converters return this type, so
 * that they do not compile until they list a new field.
 */
export type Complete<T> = T extends unknown ? { [K in keyof Required<T>]: T[K] } : never;
