// One story of a failover or a move: all is well, something strikes the owner of an address while a
// client asks for it every millisecond, and it is healed.

import { bootTimeMs } from "../../../native/index.ts";
import type { HistoryView, NodeView, VipView } from "../../../src/api/types.ts";
import { eventually } from "../../lab/eventually.ts";
import type { LabNode } from "../../lab/node.ts";
import type { Prober, Watched } from "../../lab/prober.ts";
import type { DaemonCluster } from "./daemon-cluster.ts";

export interface Strike {
  readonly address: string;
  strike(owner: LabNode): Promise<unknown>;
  /** Also when it failed; until all is as before, but for the owner. */
  heal?(owner: LabNode): Promise<unknown>;
  /** Nothing is to move. */
  readonly keepsOwner?: boolean;
  /** How long it is watched at least, in ms. */
  readonly watchMs?: number;
}

export interface Story extends Watched {
  readonly owner: LabNode;
  /** Of the address, before. */
  readonly epoch: number;
  /** The last row of the history of who answers in the end, about its gain. */
  readonly gained: HistoryView | undefined;
  /** The last row of the history of the owner, about its loss. */
  readonly lost: HistoryView | undefined;
}

const WATCH_MS_DEFAULT = 1_000;
const SETTLE_TIMEOUT_MS = 20_000;

export async function struck(c: DaemonCluster, prober: Prober, strike: Strike): Promise<Story> {
  const { address, keepsOwner = false, watchMs = WATCH_MS_DEFAULT } = strike;
  await untilLive(c);
  const owner = await prober.begin(address);
  const vips = await c.daemon(owner.name).items<VipView>("/v1/vips");
  const epoch = vips.find((vip) => vip.address === address)?.epoch ?? 0;
  let watched: Watched;
  try {
    const at = bootTimeMs();
    await strike.strike(owner);
    watched = await prober.end({ owner, at, watchMs, keepsOwner });
  } finally {
    await strike.heal?.(owner);
    await untilLive(c);
    // What is announced by BGP has no owner.
    if (keepsOwner && epoch > 0) await untilOwning(c, owner, address);
  }
  const isMoved = watched.next !== owner;
  const gains = await rowsOf(c, { node: watched.next, address, change: "gained" });
  // A tenure that lapsed after a move, as the machine stood still, is resumed and no other.
  const gained = gains.find(({ cause }) => !isMoved || cause !== "resumed");
  const [lost] = await rowsOf(c, { node: owner, address, change: "lost" });
  return { ...watched, owner, epoch, gained, lost };
}

/** All daemons answer, and hear each other say that they live. */
export async function untilLive(c: DaemonCluster): Promise<void> {
  const count = c.lab.nodes.length;
  for (const daemon of c.daemons.values()) {
    await eventually(`${count} live daemons`, () => daemon.items<NodeView>("/v1/nodes"), {
      timeoutMs: SETTLE_TIMEOUT_MS,
      until: (nodes) => nodes.filter(isLive).length === count,
    });
  }
}

/** Its kernel answers from the first moment; its daemon once it knows what happened meanwhile. */
async function untilOwning(c: DaemonCluster, { name }: LabNode, address: string): Promise<void> {
  await eventually(`${name} to own ${address}`, () => c.daemon(name).items<VipView>("/v1/vips"), {
    timeoutMs: SETTLE_TIMEOUT_MS,
    until: (vips) => vips.some((vip) => vip.address === address && vip.here === "owning"),
  });
}

function isLive({ member, daemon }: NodeView): boolean {
  return member === "alive" && daemon === "live";
}

/** Newest first. */
async function rowsOf(
  c: DaemonCluster,
  about: { readonly node: LabNode; readonly address: string; readonly change: "gained" | "lost" },
): Promise<HistoryView[]> {
  const path = `/v1/history?address=${about.address}`;
  const rows = await c.daemon(about.node.name).items<HistoryView>(path);
  return rows.filter(({ change }) => change === about.change);
}
