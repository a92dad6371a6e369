/** The service counts unread messages up to 1,000. */
export function unreadLabel(count: number): string {
  return count > 999 ? '999+' : String(count);
}
