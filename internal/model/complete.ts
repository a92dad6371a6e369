/**
 * T with every field listed, also those that may be undefined; of a union, each part by itself. What makes one object of another
 * returns this type, so that a new field, optional or not, fails to compile until it is listed.
 */
export type Complete<T> = T extends unknown ? { [K in keyof Required<T>]: T[K] } : never;
