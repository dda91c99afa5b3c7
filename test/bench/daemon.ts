// The bundled daemon on three nodes with a real control plane: the memory it holds when it has
// nothing to do, and the time from the creation of a Service to the first ARP answer.
//
// The API's own share is measured with every Service by a program beside the API server: the call
// that creates the Service until its watch delivers it, and a change of another Service's status
// until its watch delivers that. What is left is lbd's: choosing the address, the owner's claim
// with the write of its Lease (the API's time too, and not subtracted), grant and answer, and the
// asker's resolution of 1 ms.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bundle, MEMORY_ENVIRONMENT, NODE_ARGUMENTS } from "../../scripts/bundle.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import type { LabDaemon } from "../lab/daemon.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import { rssOf } from "./process-usage.ts";
import { type BenchRow, figuresOf, information, median } from "./rows.ts";
import { measureServices, serviceRows } from "./service-answers.ts";
import type { MakerQuestion } from "./service-maker.ts";

const DIST = join(import.meta.dirname, "../../dist");
const SERVICES_IDLE = 100;
const SETTLE_MS = 30_000;
const RSS_SAMPLES = 10;

const RSS_TARGET_MB = 80;

const CONFIGURATION = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: bench, namespace: metallb-system }
spec: { addresses: [192.168.100.32-192.168.100.250] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: bench, namespace: metallb-system }
spec: { ipAddressPools: [bench] }
`;

export interface DaemonBenchOptions {
  readonly services: number;
  readonly onProgress: (text: string) => void;
}

export async function daemonRows(lab: Lab, options: DaemonBenchOptions): Promise<BenchRow[]> {
  const { onProgress } = options;
  onProgress("daemon: bundling");
  await bundle(DIST);
  onProgress("daemon: starting the control plane");
  const controlPlane = await ControlPlane.start(lab);
  await controlPlane.registerNodes();
  const kubeconfig = await controlPlane.installLbd();
  await controlPlane.apply(CONFIGURATION);
  const started = {
    kubeconfig,
    program: join(DIST, "main.js"),
    config: { logLevel: "info" },
    nodeArguments: NODE_ARGUMENTS,
    env: MEMORY_ENVIRONMENT,
  };
  const daemons = await Promise.all(lab.nodes.map((node) => node.startDaemon(started)));
  const maker = new LabProgram<MakerQuestion, unknown>(lab, lab.apiHost, [
    join(import.meta.dirname, "service-maker.ts"),
    controlPlane.adminKubeconfig,
  ]);
  onProgress(`daemon: ${SERVICES_IDLE} Services`);
  await maker.ask({ kind: "fill", count: SERVICES_IDLE });
  onProgress(`daemon: settling for ${SETTLE_MS / 1_000} s`);
  await sleep(SETTLE_MS);
  const idle = await measureRss(daemons);
  const answers = await measureServices(lab, maker, {
    services: options.services,
    // The pool's first ones are taken, in order, by the 100 Services.
    addressOf: (i) => `192.168.100.${32 + SERVICES_IDLE + i}`,
    isRequested: false,
    onProgress: (text) => onProgress(`daemon: ${text}`),
  });
  maker.end();
  return [rssRow(idle), ...serviceRows(answers, { isRequested: false })];
}

/** Megabytes of each daemon, sampled each second. */
async function measureRss(daemons: readonly LabDaemon[]): Promise<number[][]> {
  const samples: number[][] = daemons.map(() => []);
  for (let i = 0; i < RSS_SAMPLES; i++) {
    for (const [at, daemon] of daemons.entries()) samples[at]?.push(rssOf(daemon.process.pid));
    await sleep(1_000);
  }
  return samples;
}

/** Of the largest daemon, which leads the cluster; the worst is that of all daemons. */
function rssRow(samples: readonly (readonly number[])[]): BenchRow {
  const bySize = [...samples].sort((a, b) => median(b) - median(a));
  const largest = bySize[0] ?? [];
  const figures = { ...figuresOf(largest), worst: Math.max(...samples.flat()) };
  const row = information("rss idle", "MB", { figures, runs: largest.length });
  return { ...row, target: `<= ${RSS_TARGET_MB} MB`, ok: row.p50 <= RSS_TARGET_MB };
}
