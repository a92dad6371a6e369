import { decodeSegment, pathValues } from './path-values.ts';
import type { Route, RouteMatch } from './route.ts';

interface Node {
  literals: Map<string, Node>;
  any?: Node;
  /** The routes that end here with `**`. */
  rest?: Leaf;
  leaf?: Leaf;
}

/** Routes by verb (empty: no verb) and HTTP method. */
type Leaf = Map<string, Map<string, Route>>;

const badPath: RouteMatch = { kind: 'bad_path', description: 'must be percent-encoded UTF-8' };

/**
 * A tree of routes by segments. If several routes match, the one with a literal at the first difference, from the left, wins;
 * the order of adding does not matter.
 */
export class RouteTree {
  readonly #root: Node = { literals: new Map() };

  /** Adds a route. Throws an Error if another route matches exactly the same requests. */
  add(route: Route): void {
    const { segments, verb } = route.template;
    let node = this.#root;
    for (const segment of segments) {
      if (segment.kind === 'rest') break;
      if (segment.kind === 'any') {
        node.any ??= { literals: new Map() };
        node = node.any;
      } else {
        const next = node.literals.get(segment.text) ?? { literals: new Map() };
        node.literals.set(segment.text, next);
        node = next;
      }
    }
    const place = segments.at(-1)?.kind === 'rest' ? 'rest' : 'leaf';
    node[place] ??= new Map();
    const byMethod = node[place].get(verb) ?? new Map<string, Route>();
    node[place].set(verb, byMethod);
    const other = byMethod.get(route.httpMethod);
    if (other) {
      const described = `${route.httpMethod} ${route.template.source}`;
      throw new Error(`${described} of ${route.rpc} collides with ${other.template.source} of ${other.rpc}`);
    }
    byMethod.set(route.httpMethod, route);
  }

  /** `path` is raw: percent-encoded, without the query. */
  match(httpMethod: string, path: string): RouteMatch {
    if (!path.startsWith('/')) return { kind: 'not_found' };
    if (/[^\x21-\x7e]/.test(path)) return badPath;
    const raw = path.slice(1).split('/');
    let segments: string[];
    try {
      segments = path.includes('%') ? raw.map(decodeSegment) : raw;
    } catch {
      return badPath;
    }
    const search = new Search(httpMethod);
    const last = raw.at(-1) ?? '';
    const colon = last.lastIndexOf(':');
    if (colon >= 0 && colon < last.length - 1) {
      const stem = last.slice(0, colon);
      const route = search.find(
        this.#root,
        [...segments.slice(0, -1), decodeSegment(stem)],
        decodeSegment(last.slice(colon + 1)),
      );
      if (route) return { kind: 'route', route, variables: pathValues(route.template, [...raw.slice(0, -1), stem]) };
    }
    const route = search.find(this.#root, segments, '');
    if (route) return { kind: 'route', route, variables: pathValues(route.template, raw) };
    const allow = [...search.otherMethods].sort();
    return allow.length > 0 ? { kind: 'method_not_allowed', allow } : { kind: 'not_found' };
  }
}

/** The search for one request's route. It also collects the methods that the path allows. */
class Search {
  readonly otherMethods = new Set<string>();
  readonly #httpMethod: string;

  constructor(httpMethod: string) {
    this.#httpMethod = httpMethod;
  }

  /** Visits no node twice, because a node's depth determines the segment. */
  find(node: Node, segments: readonly string[], verb: string, at = 0): Route | undefined {
    if (at === segments.length) return this.#take(node.leaf, verb) ?? this.#take(node.rest, verb);
    const segment = segments[at]!;
    if (segment !== '') {
      const literal = node.literals.get(segment);
      const route =
        (literal && this.find(literal, segments, verb, at + 1)) ??
        (node.any && this.find(node.any, segments, verb, at + 1));
      if (route) return route;
    }
    return node.rest && !segments.includes('', at) ? this.#take(node.rest, verb) : undefined;
  }

  #take(leaf: Leaf | undefined, verb: string): Route | undefined {
    const byMethod = leaf?.get(verb);
    if (!byMethod) return undefined;
    const route =
      byMethod.get(this.#httpMethod) ??
      (this.#httpMethod === 'HEAD' ? byMethod.get('GET') : undefined) ??
      byMethod.get('*');
    if (route) return route;
    for (const method of byMethod.keys()) {
      this.otherMethods.add(method);
      if (method === 'GET') this.otherMethods.add('HEAD');
    }
    return undefined;
  }
}
