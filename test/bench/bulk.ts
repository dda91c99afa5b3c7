// `make bench-bulk`: the owner of 1,000 VIPs loses its cables, and the two nodes that are left take
// them all: when the last one is announced, after the fault. RUNS=n, JSON=file as in the others.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import type { VipView } from "../../src/api/types.ts";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { AnnouncementListener } from "../lab/announcements.ts";
import { eventually } from "../lab/eventually.ts";
import { withLab } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import type { LabNode } from "../lab/node.ts";
import { BUNDLED, startBundledCluster } from "./bundled-cluster.ts";
import { poolConfiguration } from "./pool-configuration.ts";
import { type BenchRow, figuresOf, formatTable, information } from "./rows.ts";
import type { MakerQuestion } from "./service-maker.ts";
import { orEndWithUsage, readCount } from "./settings.ts";

const VIPS = 1_000;
const RUNS_DEFAULT = 3;
const TARGET_MS = 1_000;
const WATCH_MS = 5_000;
const TIMEOUT_MS = 120_000;
const CONFIGURATION = poolConfiguration("bulk", "10.99.0.0/22");

function onProgress(text: string): void {
  console.error(`bench: ${text}`);
}

/** In ms after the fault: when the last address was announced by another node. */
async function trial(listener: AnnouncementListener, owner: LabNode): Promise<number> {
  await listener.begin(owner);
  const at = bootTimeMs();
  await owner.pullCables();
  await sleep(WATCH_MS);
  const announced = Object.values(await listener.report());
  await owner.plugCables();
  if (announced.length < VIPS) throw new Error(`Only ${announced.length} of ${VIPS} moved`);
  return Math.max(...announced.map((first) => first.at)) - at;
}

/** All of them with one node: it starts alone, and nothing moves to the others by itself. */
async function gather(cluster: DaemonCluster, owner: LabNode): Promise<void> {
  const others = cluster.lab.nodes.filter((node) => node !== owner);
  for (const node of others) await cluster.daemon(node.name).kill("SIGTERM");
  await untilOwned(cluster, owner, VIPS);
  await Promise.all(others.map((node) => cluster.start(node, BUNDLED)));
  for (const node of others) await untilOwned(cluster, node, 0);
  // They are past the time in which they take nothing, and hear each other.
  await sleep(5_000);
  await untilOwned(cluster, owner, VIPS);
}

async function untilOwned(cluster: DaemonCluster, node: LabNode, count: number): Promise<void> {
  const owned = async () => {
    const { body } = await cluster.daemon(node.name).get("/v1/vips");
    const vips = (JSON.parse(body) as { items: VipView[] }).items;
    return vips.length < VIPS ? -1 : vips.filter(({ here }) => here === "owning").length;
  };
  await eventually(`${node.name} to own ${count}`, owned, {
    timeoutMs: TIMEOUT_MS,
    intervalMs: 500,
    until: (found) => found === count,
  });
}

async function measure(lab: Lab, runs: number): Promise<BenchRow> {
  onProgress("bundling, and starting the control plane and three daemons");
  const cluster = await startBundledCluster(lab, CONFIGURATION);
  // One without interfaces would ask for a prefix that holds the addresses.
  const advertisement = ["l2advertisement", "everything", "-n", "metallb-system"];
  await cluster.controlPlane.kubectl(["delete", ...advertisement]);
  const makerProgram = join(import.meta.dirname, "service-maker.ts");
  const maker = new LabProgram<MakerQuestion, unknown>(lab, lab.node(1), [
    makerProgram,
    cluster.controlPlane.adminKubeconfig,
  ]);
  await maker.ask({ kind: "fill", count: VIPS });
  maker.end();
  const listener = await AnnouncementListener.start(lab);
  const values: number[] = [];
  for (let run = 1; run <= runs; run++) {
    const owner = lab.node(1 + (run % lab.nodes.length));
    onProgress(`${run} of ${runs}: gathering ${VIPS} VIPs on ${owner.name}`);
    await gather(cluster, owner);
    const ms = await trial(listener, owner);
    onProgress(`${run} of ${runs}: the last of ${VIPS} VIPs ${ms.toFixed(0)} ms after the fault`);
    values.push(ms);
  }
  listener.stop();
  const row = information(`${VIPS} VIPs, the last`, "ms", { figures: figuresOf(values), runs });
  return { ...row, target: `worst <= ${TARGET_MS} ms`, ok: row.worst <= TARGET_MS };
}

const runs = orEndWithUsage(() => readCount(process.env, "RUNS", { unset: RUNS_DEFAULT, min: 1 }));
const row = await withLab({ nodes: 3 }, (lab) => measure(lab, runs));
console.log(formatTable([row]));
const file = process.env.JSON ?? "";
if (file !== "") writeFileSync(file, `${JSON.stringify([row], null, 2)}\n`);
process.exit(row.ok ? 0 : 1);
