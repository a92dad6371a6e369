/** A directed graph: from each node, the nodes that it leads to. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** The circles of a graph, each as a shortest way from a node back to it. Of the nodes on a circle that was found, no further ones are looked for. */
export function findCircles(graph: Graph): string[][] {
  const circles: string[][] = [];
  const onCircle = new Set<string>();
  for (const start of graph.keys()) {
    const circle = onCircle.has(start) ? undefined : findWayBack(graph, start);
    if (!circle) continue;
    circles.push(circle);
    for (const node of circle) onCircle.add(node);
  }
  return circles;
}

/** Breadth first: the nodes of a shortest way from the start to the start, which is both its first and its last. */
function findWayBack(graph: Graph, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) return [start, ...wayTo(node, start, cameFrom), start];
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  }
  return undefined;
}

function wayTo(node: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way: string[] = [];
  for (let at = node; at !== start; at = cameFrom.get(at)!) way.unshift(at);
  return way;
}
