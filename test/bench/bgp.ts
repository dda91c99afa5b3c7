// `make bench-bgp`: three nodes with FRR announce 1,000 addresses to a router: how long until it
// has all of them from all, one more, none from a node that died. RUNS=n, JSON=file as in the
// others.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import { peerManifest, ROUTER_ASN, routerConfig, routerOf } from "../bgp/support/bgp-cluster.ts";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";
import { withLab } from "../lab/for-test.ts";
import { LabFrr } from "../lab/frr.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import { BUNDLED, startBundledCluster } from "./bundled-cluster.ts";
import { poolConfiguration } from "./pool-configuration.ts";
import { type BenchRow, figuresOf, formatTable, information } from "./rows.ts";
import type { MakerQuestion } from "./service-maker.ts";
import { orEndWithUsage, readCount } from "./settings.ts";

const VIPS = 1_000;
const RUNS_DEFAULT = 5;
const TIMEOUT_MS = 120_000;
/** Between two looks at the router; what is measured is as exact. */
const LOOK_MS = 10;
const CONFIGURATION = poolConfiguration("bulk", "10.99.0.0/22");
const ADVERTISEMENT = ["bgpadvertisement", "all", "-n", "metallb-system"];
const PROFILE = {
  ...{ apiVersion: "metallb.io/v1beta1", kind: "BFDProfile" },
  metadata: { name: "fast", namespace: "metallb-system" },
  spec: { receiveInterval: 100, transmitInterval: 100, detectMultiplier: 3 },
};

function onProgress(text: string): void {
  console.error(`bench: ${text}`);
}

class Bench {
  readonly #lab: Lab;
  readonly #cluster: DaemonCluster;
  readonly #router: LabFrr;

  constructor(lab: Lab, cluster: DaemonCluster, router: LabFrr) {
    this.#lab = lab;
    this.#cluster = cluster;
    this.#router = router;
  }

  /** From the write of the BGPAdvertisement until the router has all addresses from all nodes. */
  async fullTable(): Promise<number> {
    await this.#cluster.controlPlane.kubectl(["delete", ...ADVERTISEMENT, "--ignore-not-found"]);
    await this.#until((counts) => counts.every((count) => count === 0));
    const at = bootTimeMs();
    await this.#advertise();
    return (await this.#until((counts) => counts.every((count) => count === VIPS))) - at;
  }

  /** From the cable that is pulled until the router's kernel sends nothing that way. */
  async nodeLoss(): Promise<number> {
    const node = this.#lab.node(1);
    const hop = node.address();
    const host = routerOf(this.#lab);
    const ways = async () =>
      (await host.run(["ip", "route", "show"])).split(`via ${hop} `).length - 1;
    await eventually("all ways", ways, { timeoutMs: TIMEOUT_MS, until: (count) => count === VIPS });
    const at = bootTimeMs();
    await node.pullCables();
    await eventually("none", ways, {
      timeoutMs: TIMEOUT_MS,
      intervalMs: LOOK_MS,
      until: (count) => count === 0,
    });
    const ms = bootTimeMs() - at;
    await node.plugCables();
    await this.#until((counts) => counts.every((count) => count === VIPS));
    await eventually("all ways", ways, { timeoutMs: TIMEOUT_MS, until: (count) => count === VIPS });
    return ms;
  }

  async advertise(): Promise<void> {
    const host = routerOf(this.#lab);
    const spec = { peerAddress: host.address(), bfdProfile: "fast", connectTime: "1s" };
    await this.#cluster.controlPlane.apply(JSON.stringify(PROFILE));
    await this.#cluster.controlPlane.apply(peerManifest("router", spec));
    await this.#advertise();
    await this.#until((counts) => counts.every((count) => count === VIPS));
    // BFD begins slowly (RFC 5880, 6.8.3).
    await sleep(5_000);
  }

  #advertise(): Promise<unknown> {
    const metadata = { name: "all", namespace: "metallb-system" };
    const about = { apiVersion: "metallb.io/v1beta1", kind: "BGPAdvertisement", metadata };
    return this.#cluster.controlPlane.apply(JSON.stringify({ ...about, spec: {} }));
  }

  /** When the router has so many prefixes from each node. */
  async #until(is: (counts: readonly number[]) => boolean): Promise<number> {
    const counts = async () => {
      const { peers = {} } = await this.#router.json<{
        peers?: Record<string, { pfxRcd?: number }>;
      }>("show bgp ipv4 unicast summary json");
      return this.#lab.nodes.map((node) => peers[node.address()]?.pfxRcd ?? -1);
    };
    await eventually("the table", counts, {
      timeoutMs: TIMEOUT_MS,
      intervalMs: LOOK_MS,
      until: is,
    });
    return bootTimeMs();
  }
}

async function prepare(lab: Lab): Promise<Bench> {
  onProgress("bundling, and starting the control plane, FRR and three daemons");
  const cluster = await startBundledCluster(lab, CONFIGURATION);
  for (const node of lab.nodes) {
    const frr = await LabFrr.start(node);
    await cluster.daemon(node.name).kill("SIGTERM");
    await cluster.start(node, { ...BUNDLED, config: { ...BUNDLED.config, bgp: frr.settings } });
  }
  const router = await LabFrr.start(routerOf(lab));
  await router.configure(
    ...["bfd", "profile fast", "receive-interval 100", "transmit-interval 100", "exit", "exit"],
    ...routerConfig(lab.nodes),
    `router bgp ${ROUTER_ASN}`,
    ...lab.nodes.map((node) => `neighbor ${node.address()} bfd profile fast`),
  );
  // What is on no segment needs nobody who answers.
  const l2 = ["l2advertisement", "everything", "-n", "metallb-system"];
  await cluster.controlPlane.kubectl(["delete", ...l2]);
  const program = join(import.meta.dirname, "service-maker.ts");
  const { adminKubeconfig } = cluster.controlPlane;
  const maker = new LabProgram<MakerQuestion, unknown>(lab, lab.node(1), [
    program,
    adminKubeconfig,
  ]);
  await maker.ask({ kind: "fill", count: VIPS });
  maker.end();
  const bench = new Bench(lab, cluster, router);
  await bench.advertise();
  return bench;
}

async function measure(lab: Lab, runs: number): Promise<BenchRow[]> {
  const bench = await prepare(lab);
  const tables: number[] = [];
  const losses: number[] = [];
  for (let run = 1; run <= runs; run++) {
    tables.push(await bench.fullTable());
    losses.push(await bench.nodeLoss());
    onProgress(
      `${run} of ${runs}: ${tables.at(-1)?.toFixed(0)} and ${losses.at(-1)?.toFixed(0)} ms`,
    );
  }
  const row = (name: string, values: readonly number[]) =>
    information(name, "ms", { figures: figuresOf(values), runs });
  return [
    row(`${VIPS} addresses from 3 nodes, advertised until all are known`, tables),
    row(`a node dies, BFD 100 ms x 3, until the router's kernel knows`, losses),
  ];
}

const runs = orEndWithUsage(() => readCount(process.env, "RUNS", { unset: RUNS_DEFAULT, min: 1 }));
const rows = await withLab({ nodes: 3, foreignHost: true }, (lab) => measure(lab, runs));
console.log(formatTable(rows));
const file = process.env.JSON ?? "";
if (file !== "") writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
process.exit(0);
