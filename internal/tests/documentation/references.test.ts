import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { settingNames } from '../../config/setting-names.ts';
import { grpcCodes } from '../../converter/status.ts';
import { reasons } from '../../model/errors.ts';
import { type MarkdownPage, pages, root } from './markdown-page.ts';

/** Folders of the repository. A name in backticks that begins with one of them is a path. */
const folders = ['api', 'cmd', 'deploy', 'docs', 'internal', 'migrations', 'pkg', 'vendor.protogen'];

/** Upper-case names in the pages that are neither settings nor error reasons. */
const otherNames = new Set([
  'ADMIN_ACCESS_TOKEN',
  ...['CHAT_ADDR', 'CHAT_SESSION', 'CHAT_TRANSPORT', 'CHROMIUM_PATH', 'OTEL_EXPORTER_OTLP_HEADERS'],
  ...['CHAT_EVENTS', 'NOT_SERVING'],
]);

interface Quote {
  at: string;
  text: string;
}

/** The texts in backticks, outside of code blocks. */
function quotesOf({ lines }: MarkdownPage): Quote[] {
  return lines
    .filter(({ kind }) => kind !== 'code')
    .flatMap(({ at, text }) => [...text.matchAll(/`([^`]+)`/g)].map(([, quote = '']) => ({ at, text: quote })));
}

/** Commands and assignments: the texts in backticks, and the lines of code blocks without their comments. */
function commandsOf(page: MarkdownPage): Quote[] {
  const code = page.lines.filter(({ kind }) => kind === 'code');
  return [...quotesOf(page), ...code.map(({ at, text }) => ({ at, text: text.replace(/(^|\s)#.*/, '') }))];
}

/** Returns a heading's anchor, as GitHub makes it. */
function anchorsOf({ lines }: MarkdownPage): Set<string> {
  return new Set(
    lines
      .filter(({ kind }) => kind === 'heading')
      .map(({ text }) =>
        text
          .replace(/^#+ /, '')
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      ),
  );
}

function brokenLinksOf({ path, lines }: MarkdownPage): string[] {
  const links = lines
    .filter(({ kind }) => kind !== 'code')
    .flatMap(({ at, text }) =>
      [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(([, link, source]) => ({
        at,
        link: link ?? source ?? '',
      })),
    );
  return links
    .filter(({ link }) => !/^[a-z]+:/.test(link))
    .filter(({ link }) => {
      const [file, anchor] = link.split('#');
      const target = file ? normalize(join(dirname(path), file)) : path;
      if (!existsSync(join(root, target))) return true;
      if (anchor === undefined) return false;
      const page = pages.find((other) => other.path === target);
      return !page || !anchorsOf(page).has(anchor);
    })
    .map(({ at, link }) => `${at} ${link}`);
}

test('every link to a page or a file has a target', () => {
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap(brokenLinksOf)).toEqual([]);
});

test('every page that an operator’s file names exists', () => {
  const files = globSync(['Makefile', 'local.env.example', '*.yml', 'deploy/**/*.{yml,yaml,conf,cfg,env}'], {
    cwd: root,
  });
  const named = files.flatMap((file) =>
    [...readFileSync(`${root}${file}`, 'utf8').matchAll(/\bdocs\/[\w-]+\.md/g)].map(([path]) => ({ file, path })),
  );
  expect(named.length).toBeGreaterThan(5);
  const missing = named.filter(({ path }) => !existsSync(join(root, path)));
  expect(missing.map(({ file, path }) => `${file} ${path}`)).toEqual([]);
});

test('every path of the repository in backticks exists', () => {
  const paths = pages
    .flatMap(quotesOf)
    .filter(({ text }) => folders.includes(text.split('/')[0]!) && /^[\w.*/-]+$/.test(text) && text.includes('/'));
  expect(paths.length).toBeGreaterThan(10);
  const missing = paths.filter(({ text }) => globSync(text, { cwd: root }).length === 0);
  expect(missing.map(({ at, text }) => `${at} ${text}`)).toEqual([]);
});

test('every make target in the pages exists', () => {
  const makefile = readFileSync(`${root}Makefile`, 'utf8');
  const targets = new Set([...makefile.matchAll(/^([a-z][a-z_-]*):/gm)].map(([, name]) => name));
  const named = pages
    .flatMap(commandsOf)
    .flatMap(({ at, text }) => [...text.matchAll(/\bmake ([a-z][a-z_-]*)/g)].map(([, name = '']) => ({ at, name })));
  expect(named.length).toBeGreaterThan(40);
  const unknown = named.filter(({ name }) => !targets.has(name));
  expect(unknown.map(({ at, name }) => `${at} make ${name}`)).toEqual([]);
});

test('every setting in the pages exists', () => {
  const known = [...settingNames()];
  const errors = new Set([...Object.keys(reasons), ...Object.keys(grpcCodes)]);
  const named = pages
    .flatMap(commandsOf)
    .map(({ at, text }) => ({ at, match: /^([A-Z][A-Z0-9]*_[A-Z0-9_]*)(=|…|$)/.exec(text) }))
    .flatMap(({ at, match }) => (match ? [{ at, name: match[1]!, isPrefix: match[2] === '…' }] : []));
  expect(named.length).toBeGreaterThan(100);
  const unknown = named.filter(({ name, isPrefix }) =>
    isPrefix
      ? !known.some((setting) => setting.startsWith(name))
      : !known.includes(name) && !errors.has(name) && !otherNames.has(name),
  );
  expect(unknown.map(({ at, name }) => `${at} ${name}`)).toEqual([]);
});
