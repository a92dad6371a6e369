export type TextPart = { kind: 'text'; text: string } | { kind: 'link'; text: string; href: string };

const address = /\bhttps?:\/\/[^\s<>"'`]+/gi;

/** Splits a text into plain parts and addresses of http and https that can be followed; together they are the text. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const link = withoutTrailing(found);
    const href = URL.parse(link)?.href;
    if (href === undefined) continue;
    if (index > done) parts.push({ kind: 'text', text: text.slice(done, index) });
    parts.push({ kind: 'link', text: link, href });
    done = index + link.length;
  }
  if (done < text.length) parts.push({ kind: 'text', text: text.slice(done) });
  return parts;
}

/** Without what ends the sentence rather than the address: stops, and closing brackets that were not opened within. */
function withoutTrailing(found: string): string {
  let unopened = found.split(')').length - found.split('(').length;
  let end = found.length;
  for (; end > 0; end -= 1) {
    const last = found[end - 1]!;
    if (last === ')' && unopened > 0) unopened -= 1;
    else if (!'.,;:!?…'.includes(last)) break;
  }
  return found.slice(0, end);
}
