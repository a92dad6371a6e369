/** A page of a list; `next` continues it and is absent on the last page. */
export interface Page<Item, Key> {
  items: Item[];
  next?: Key;
}
