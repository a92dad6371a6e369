/**
 * The most characters of text in a page, unless its first item alone has more: streamed messages are long, and at four bytes each a page must fit into the
 * 4 MiB that gRPC clients accept.
 */
export const maxPageChars = 800_000;

/** Returns how many items from the start fit into a page, at least one if there is one. */
export function countFitting<T>(items: readonly T[], charsOf: (item: T) => number): number {
  let chars = 0;
  for (const [i, item] of items.entries()) {
    chars += charsOf(item);
    if (chars > maxPageChars && i > 0) return i;
  }
  return items.length;
}
