import type { Node } from '../model/node.ts';

/** Metadata of a health check by which a gateway tells that it lives. */
export const gatewayHeader = 'chat-gateway';

/** What a gateway tells: that it lives, or that it ends. */
export type GatewayNews = { kind: 'lives'; node: Node } | { kind: 'ends'; id: string };

export function toGatewayNews(news: GatewayNews): string {
  // Metadata holds printable ASCII only.
  return JSON.stringify(news).replace(
    /[^ -~]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns undefined for anything that is not what a gateway tells. */
export function fromGatewayNews(text: string): GatewayNews | undefined {
  let news: Partial<{ kind: string; node: Partial<Record<keyof Node, unknown>>; id: unknown }>;
  try {
    news = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (news?.kind === 'ends') return isId(news.id) ? { kind: 'ends', id: news.id } : undefined;
  const { id, host, pid, version, startedAt, sessions, connections, ready } = news?.node ?? {};
  const isGood =
    news?.kind === 'lives' &&
    isId(id) &&
    isText(host) &&
    isCount(pid) &&
    isText(version) &&
    isCount(sessions) &&
    isCount(connections) &&
    typeof ready === 'boolean';
  const started = new Date(String(startedAt));
  if (!isGood || Number.isNaN(started.getTime())) return undefined;
  const node = { id, host, pid, version, roles: ['gateway'], startedAt: started, sessions, connections, ready };
  return { kind: 'lives', node };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 255 && !value.includes('\0');
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}
