// What the socket API makes of the peers on all segments, by node. Pure.

export interface HeardOf {
  readonly jitterMs: number;
  readonly node: string;
  readonly verdict: string;
  readonly state: string;
}

/** Each once. */
export function heardPeers(peers: readonly HeardOf[]): string[] {
  const heard = peers.filter(({ verdict }) => verdict === "heard");
  return [...new Set(heard.map(({ node }) => node))];
}

/** By node, the worst of its segments; of a silent one there is none. */
export function jittersOf(peers: readonly HeardOf[]): Map<string, number> {
  const jitters = new Map<string, number>();
  for (const { node, verdict, jitterMs } of peers) {
    if (verdict === "heard") jitters.set(node, Math.max(jitterMs, jitters.get(node) ?? 0));
  }
  return jitters;
}

/** By node; one that is heard on any segment is heard. */
export function daemonStates(peers: readonly HeardOf[]): [string, string][] {
  const filtered = peers.filter(({ verdict }) => verdict === "answers");
  const heard = peers.filter(({ verdict }) => verdict === "heard");
  return [
    ...filtered.map(({ node }): [string, string] => [node, "filtered"]),
    ...heard.map(({ node, state }): [string, string] => [node, state]),
  ];
}
