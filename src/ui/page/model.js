// What the page shows, made from the daemon's answers. Pure: no document, no clock.

/** So many addresses of one node are drawn; the filter finds the others. */
export const VIPS_MAX = 60;
/** So many rows of the history are kept. */
export const ROWS_MAX = 200;
const NOBODY = "nobody";

/**
 * The nodes with the addresses that they own, in the order of their names; last, where there are
 * any, the addresses that nobody owns.
 */
export function nodesWithVips(nodes, vips, filter) {
  const wanted = filter.trim().toLowerCase();
  const shown = vips.filter((vip) => isAbout(vip, wanted));
  const byOwner = Map.groupBy(shown, ({ owner }) => owner ?? NOBODY);
  const known = nodes.map((node) => ({ ...node, ...limited(byOwner.get(node.node)) }));
  const names = new Set([...nodes.map(({ node }) => node), NOBODY]);
  // An owner that the API knows no Node of, any more.
  const others = [...byOwner].filter(([owner]) => !names.has(owner));
  const strangers = others.map(([node, owned]) => ({
    ...{ node, member: "never-seen", daemon: null, jitterMs: null, excluded: null },
    ...limited(owned),
  }));
  const orphans = byOwner.get(NOBODY) ?? [];
  return { nodes: [...known, ...strangers], orphans: limited(orphans) };
}

function isAbout({ address, owner, services }, wanted) {
  const texts = [address, owner ?? NOBODY, ...services];
  return wanted === "" || texts.some((text) => text.toLowerCase().includes(wanted));
}

function limited(vips = []) {
  return { vips: vips.slice(0, VIPS_MAX), more: Math.max(0, vips.length - VIPS_MAX) };
}

/** The addresses whose owner is another one than before; none at the first look. */
export function movedVips(before, now) {
  if (before === null) return new Set();
  const owners = new Map(before.map(({ address, owner }) => [address, owner]));
  const isMoved = ({ address, owner }) => owners.has(address) && owners.get(address) !== owner;
  return new Set(now.filter(isMoved).map(({ address }) => address));
}

/** In words: whether the node takes part. */
export function nodeText({ member, daemon, excluded, jitterMs }) {
  if (excluded !== null) return excluded;
  if (daemon === null)
    return member === "alive" ? "heard by its Lease alone" : `its Lease: ${member}`;
  const jitter = jitterMs === null ? "" : `, beacons ${jitterMs.toFixed(1)} ms late`;
  return `${daemon}${jitter}`;
}

export function isGone({ member, daemon }) {
  return daemon === null && member !== "alive";
}

/** The first of the Services that have an address, and how many more. */
export function servicesText([first = "", ...others]) {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** Name and value of what the head of the page says. */
export function factsOf({ api, leader, holdover, peers, vips, version, config }) {
  return [
    ["API", api.reachable ? "reachable" : "NOT reachable"],
    ...(holdover ? [["holdover", "failover goes on without the API"]] : []),
    ["leader", leader.node ?? "none"],
    ["peers", `${peers.heard} of ${peers.known} heard`],
    ["addresses", `${vips.total}, ${vips.withoutOwner} without an owner`],
    ["configuration", config.valid ? "valid" : "INVALID"],
    ["version", version],
  ];
}

/** The rows with one more, newest first. */
export function withRow(rows, row) {
  return [row, ...rows].slice(0, ROWS_MAX);
}

/** One row of the history, in words. */
export function rowText({ address, change, node, cause, detail }) {
  const who = node === null ? "" : ` ${change === "lost" ? "by" : "to"} ${node}`;
  const verb = { gained: "went", moved: "went", lost: "was let go of" }[change];
  const what = verb === undefined ? `: ${change}` : ` ${verb}${who}`;
  return `${address}${what} (${[cause, detail].filter((text) => text !== "").join(": ")})`;
}
