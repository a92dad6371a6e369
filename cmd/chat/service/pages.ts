/** A list; without `complete` there may be more. */
export interface Found<T> {
  items: T[];
  complete: boolean;
}

/** Reads page after page, up to a limit. */
export async function readPages<T>(
  read: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
  { maxPages = 20, until = () => false }: { maxPages?: number; until?: (item: T) => boolean } = {},
): Promise<Found<T>> {
  const items: T[] = [];
  let pageToken = '';
  for (let page = 0; page < maxPages; page++) {
    const { items: more, nextPageToken } = await read(pageToken);
    items.push(...more);
    if (nextPageToken === '' || more.some(until)) return { items, complete: nextPageToken === '' };
    pageToken = nextPageToken;
  }
  return { items, complete: false };
}
