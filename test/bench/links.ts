// What happens to the interface of an owner while its daemon runs: how long after the change begins
// the segment hears an announcement that is right again, by this node or by another.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { AnnouncementListener } from "../lab/announcements.ts";
import { runIp } from "../lab/command.ts";
import { eventually } from "../lab/eventually.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { startBundledCluster } from "./bundled-cluster.ts";
import { type BenchRow, figuresOf, information } from "./rows.ts";

const TARGET_MS = 100;
const VIP = "192.168.100.50";
const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["${VIP}/32"]}
`;
const NEW_MAC = "02:00:00:00:64:99";
const TIMEOUT_MS = 30_000;
/** Daemons that were away take nothing at first. */
const SETTLE_MS = 5_000;

interface Change {
  readonly name: string;
  /** Arguments of ip(8) in the owner's namespace. */
  readonly begin: (owner: LabNode) => string;
  readonly undo: (owner: LabNode) => string;
}

const addressOf = (node: LabNode): string => `${node.address()}/24 dev eth0`;

const CHANGES: readonly Change[] = [
  {
    name: "MAC changed",
    begin: () => `link set eth0 address ${NEW_MAC}`,
    undo: (owner) => `link set eth0 address ${owner.mac()}`,
  },
  {
    name: "address removed",
    begin: (owner) => `addr del ${addressOf(owner)}`,
    undo: (owner) => `addr add ${addressOf(owner)}`,
  },
];

export interface LinksBenchOptions {
  readonly rounds: number;
  readonly onProgress: (text: string) => void;
}

export async function linksRows(lab: Lab, options: LinksBenchOptions): Promise<BenchRow[]> {
  const { rounds, onProgress } = options;
  onProgress("links: starting the control plane and the daemons");
  const cluster = await startBundledCluster(lab, POOL);
  await cluster.createService("web");
  const listener = await AnnouncementListener.start(lab);
  const rows: BenchRow[] = [];
  for (const change of CHANGES) {
    const values: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const ms = await trial(cluster, listener, change);
      onProgress(`links: ${change.name}, ${round} of ${rounds}: ${ms.toFixed(0)} ms`);
      values.push(ms);
    }
    const measured = { figures: figuresOf(values), runs: rounds };
    const row = information(`${change.name} to announcement`, "ms", measured);
    rows.push({ ...row, target: `worst <= ${TARGET_MS} ms`, ok: row.worst <= TARGET_MS });
  }
  listener.stop();
  return rows;
}

async function trial(
  cluster: DaemonCluster,
  listener: AnnouncementListener,
  { begin, undo }: Change,
): Promise<number> {
  const owner = await settledOwner(cluster);
  await listener.begin(owner);
  const at = bootTimeMs();
  await runIp([begin(owner)], owner.namespace);
  const heard = async () => (await listener.report())[VIP] ?? null;
  const first = await eventually("an announcement", heard, { timeoutMs: TIMEOUT_MS });
  if (first === null) throw new Error(`Nobody announced ${VIP}`);
  await runIp([undo(owner)], owner.namespace);
  return first.at - at;
}

/** All is well, and has been for a while. */
async function settledOwner(cluster: DaemonCluster): Promise<LabNode> {
  for (const daemon of cluster.daemons.values()) {
    await cluster.untilStatus(daemon, /health +ok/, TIMEOUT_MS);
  }
  await sleep(SETTLE_MS);
  const name = await cluster.untilAnswering(VIP);
  const owner = cluster.lab.nodes.find((node) => node.name === name);
  if (owner === undefined) throw new Error(`No node is named ${name}`);
  return owner;
}
