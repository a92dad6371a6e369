import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The repository's root, with a slash at its end. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

type LineKind = 'prose' | 'heading' | 'table' | 'code' | 'html';

export interface MarkdownLine {
  /** `docs/errors.md:12` */
  at: string;
  kind: LineKind;
  text: string;
}

export interface MarkdownPage {
  /** The path, relative to the root. */
  path: string;
  lines: readonly MarkdownLine[];
}

/** The pages for people: those at the root, in docs/ and of the SDK. */
export const pages: readonly MarkdownPage[] = globSync(['*.md', 'docs/*.md', 'pkg/chat-client/README.md'], {
  cwd: root,
})
  .sort()
  .map(readPage);

function readPage(path: string): MarkdownPage {
  let fenced = false;
  const lines = readFileSync(`${root}${path}`, 'utf8')
    .split('\n')
    .map((text, i) => {
      const isFence = text.trimStart().startsWith('```');
      const kind = fenced || isFence ? 'code' : kindOf(text);
      if (isFence) fenced = !fenced;
      return { at: `${path}:${i + 1}`, kind, text };
    });
  return { path, lines };
}

function kindOf(text: string): LineKind {
  if (/^#+ /.test(text)) return 'heading';
  if (/^\s*\|/.test(text)) return 'table';
  if (/^\s*<\/?[a-z]/.test(text)) return 'html';
  return /^ {4}/.test(text) && !/^ *([-*]|\d+\.) /.test(text) ? 'code' : 'prose';
}
