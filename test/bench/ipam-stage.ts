// The cluster of `make bench-ipam`, and what is done to it: Services that wait for an address
// before any daemon runs, daemons that start, rest, serve one more Service, and are killed.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { arpProbeArguments } from "../lab/arp-probe.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import type { Lab } from "../lab/lab.ts";
import { LabProgram } from "../lab/lab-program.ts";
import { BUNDLED } from "./bundled-cluster.ts";
import type { AllAnswered, AskAll } from "./ipam-asker.ts";
import type { Assigned, IpamQuestion } from "./ipam-maker.ts";
import { coldStartRow, firstAllocationRows, idleRows } from "./ipam-rows.ts";
import { poolConfiguration } from "./pool-configuration.ts";
import { cpuMsOf, peakRssOf, rssOf } from "./process-usage.ts";
import type { BenchRow } from "./rows.ts";
import { measureServices, serviceRows } from "./service-answers.ts";
import type { MakerQuestion } from "./service-maker.ts";

const CONFIGURATION = poolConfiguration("ipam", "10.99.0.0/17");
const WRITES_AT_A_TIME = [8, 32, 64];
const WRITES_MAX = 2_000;
const QUIET_MS = 10_000;
/** The daemons write what they say of each Service at a slow pace: that is waited for. */
const REST_MS_MAX = 1_800_000;
const REST_LOOK_MS = 10_000;
/** Requests a second beyond those without daemons, below which nothing is left to be written. */
const REST_RATE_MAX = 6;
const IDLE_SECONDS = 30;
const COLD_STARTS = 3;
const TIMEOUT_MS = 900_000;
const COLD_TIMEOUT_MS = 120_000;
const LAST_BYTE = 256;
/** What one more Service asks for: behind those of all others. */
const REQUESTED_FIRST = 120 * LAST_BYTE;

export class IpamStage {
  readonly #cluster: DaemonCluster;
  readonly #services: number;
  readonly #onProgress: (text: string) => void;
  readonly #maker: LabProgram<IpamQuestion, unknown>;
  readonly #asker: LabProgram<AskAll, AllAnswered>;
  #addresses: readonly string[] = [];
  /** API requests a second while no daemon runs. */
  #quietRate = 0;

  private constructor(
    cluster: DaemonCluster,
    options: { services: number; onProgress: (text: string) => void; askerArguments: string[] },
  ) {
    this.#cluster = cluster;
    this.#services = options.services;
    this.#onProgress = options.onProgress;
    const { lab, controlPlane } = cluster;
    const program = (name: string): string => join(import.meta.dirname, name);
    const makerArguments = [program("ipam-maker.ts"), controlPlane.adminKubeconfig];
    this.#maker = new LabProgram(lab, lab.apiHost, makerArguments);
    const askerArguments = [program("ipam-asker.ts"), ...options.askerArguments];
    this.#asker = new LabProgram(lab, lab.client, askerArguments);
  }

  static async start(
    lab: Lab,
    services: number,
    onProgress: (text: string) => void,
  ): Promise<IpamStage> {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    const cluster = new DaemonCluster(lab, controlPlane, await controlPlane.installLbd());
    await controlPlane.apply(CONFIGURATION);
    const askerArguments = await arpProbeArguments(lab.client);
    return new IpamStage(cluster, { services, onProgress, askerArguments });
  }

  async firstAllocation(): Promise<BenchRow[]> {
    this.#onProgress(`making ${this.#services} Services`);
    const madeMs = (await this.#maker.ask({ kind: "make", count: this.#services })) as number;
    this.#onProgress(`made in ${seconds(madeMs)}`);
    const rawRate = await this.#rawRate();
    this.#quietRate = await this.#requestRate(QUIET_MS);
    const before = await this.#requests();
    this.#onProgress("starting the daemons");
    const startedAt = bootTimeMs();
    await this.#startAll();
    const assigned = await this.#untilAssigned();
    this.#addresses = assigned.map(({ address }) => address);
    this.#onProgress(`all assigned ${seconds(bootTimeMs() - startedAt)} after the start`);
    const cpuMs = this.#pids().map(cpuMsOf);
    const answeredAt = await this.#untilAnswered(TIMEOUT_MS);
    this.#onProgress(`all answered ${seconds(Math.max(...answeredAt) - startedAt)} after it`);
    const requests = (await this.#requests()) - before;
    this.#onProgress(`${requests} API requests meanwhile`);
    const assignedAt = assigned.map(({ at }) => at);
    return firstAllocationRows({ startedAt, assignedAt, answeredAt, rawRate, requests, cpuMs });
  }

  async idle(): Promise<BenchRow[]> {
    await this.#untilAtRest();
    const pids = this.#pids();
    const rssMb: number[][] = pids.map(() => []);
    const cpuBefore = pids.map(cpuMsOf);
    const [since, before] = [bootTimeMs(), await this.#requests()];
    for (let i = 0; i < IDLE_SECONDS; i++) {
      for (const [at, pid] of pids.entries()) rssMb[at]?.push(rssOf(pid));
      await sleep(1_000);
    }
    const elapsedMs = bootTimeMs() - since;
    const cpuPercent = pids.map(
      (pid, i) => ((cpuMsOf(pid) - (cpuBefore[i] ?? 0)) / elapsedMs) * 100,
    );
    const rate = ((await this.#requests()) - before) / (elapsedMs / 1_000);
    this.#onProgress(`CPU ${cpuPercent.map((value) => value.toFixed(2)).join(", ")} %`);
    return idleRows({
      cpuPercent,
      rssMb,
      peakMb: pids.map(peakRssOf),
      requestsPerSecond: Math.max(0, rate - this.#quietRate),
    });
  }

  async serviceToAnswer(services: number): Promise<BenchRow[]> {
    const { lab, controlPlane } = this.#cluster;
    const program = join(import.meta.dirname, "service-maker.ts");
    const argv = [program, controlPlane.adminKubeconfig];
    const maker = new LabProgram<MakerQuestion, unknown>(lab, lab.apiHost, argv);
    const next = Math.max(...this.#addresses.map(placeOf)) + 1;
    const rows: BenchRow[] = [];
    for (const isRequested of [false, true]) {
      const first = isRequested ? REQUESTED_FIRST : next;
      const addressOf = (i: number): string => addressAt(first + i);
      const plan = { services, addressOf, isRequested, onProgress: this.#onProgress };
      rows.push(...serviceRows(await measureServices(lab, maker, plan), plan));
    }
    maker.end();
    return rows;
  }

  /** As after a power failure of all nodes, with an API server: nobody has released anything. */
  async coldStart(): Promise<BenchRow> {
    const answeredMs: number[] = [];
    for (let start = 1; start <= COLD_STARTS; start++) {
      await Promise.all(
        [...this.#cluster.daemons.values()].map((daemon) => daemon.kill("SIGKILL")),
      );
      const startedAt = bootTimeMs();
      const started = this.#startAll();
      const answeredAt = await this.#untilAnswered(COLD_TIMEOUT_MS);
      await started;
      const worst = Math.max(...answeredAt) - startedAt;
      this.#onProgress(`cold start ${start} of ${COLD_STARTS}: all answered in ${seconds(worst)}`);
      answeredMs.push(...answeredAt.map((at) => at - startedAt));
      await this.#untilKnown();
    }
    return coldStartRow(answeredMs, COLD_STARTS);
  }

  async #startAll(): Promise<void> {
    const { lab } = this.#cluster;
    await Promise.all(lab.nodes.map((node) => this.#cluster.start(node, BUNDLED)));
  }

  async #untilAtRest(): Promise<void> {
    const until = bootTimeMs() + REST_MS_MAX;
    for (;;) {
      const rate = (await this.#requestRate(REST_LOOK_MS)) - this.#quietRate;
      this.#onProgress(`until nothing is left to be written: ${rate.toFixed(1)} requests a second`);
      if (rate <= REST_RATE_MAX) return;
      if (bootTimeMs() > until) throw new Error("The daemons do not come to rest");
    }
  }

  #pids(): number[] {
    return [...this.#cluster.daemons.values()].map(({ process }) => process.pid);
  }

  /** With as many at a time as suit the API server best. */
  async #rawRate(): Promise<number> {
    const count = Math.min(this.#services, WRITES_MAX);
    let best = 0;
    for (const parallel of WRITES_AT_A_TIME) {
      const rate = (await this.#maker.ask({ kind: "write", count, parallel })) as number;
      this.#onProgress(`the API takes ${rate.toFixed(0)} writes a second, ${parallel} at a time`);
      best = Math.max(best, rate);
    }
    return best;
  }

  async #untilAssigned(): Promise<readonly Assigned[]> {
    const ask = async () => (await this.#maker.ask({ kind: "count" })) as number;
    await eventually(`${this.#services} Services to have an address`, ask, {
      timeoutMs: TIMEOUT_MS,
      intervalMs: 500,
      until: (count) => count === this.#services,
    });
    return (await this.#maker.ask({ kind: "assigned" })) as readonly Assigned[];
  }

  async #untilAnswered(timeoutMs: number): Promise<number[]> {
    const answers = await this.#asker.ask({ addresses: this.#addresses, timeoutMs });
    const unanswered = this.#addresses.filter((_, i) => answers[i] === null);
    if (unanswered.length === 0) return answers.flatMap((at) => at ?? []);
    const some = unanswered.slice(0, 5).join(", ");
    throw new Error(`Nobody answered for ${unanswered.length} addresses: ${some}, ...`);
  }

  /** Every daemon knows of all owners: the next start begins from a record that is up to date. */
  async #untilKnown(): Promise<void> {
    for (const daemon of this.#cluster.daemons.values()) {
      const unowned = async () => {
        const vips = await daemon.items<{ address: string; owner: string | null }>("/v1/vips");
        const known = new Set(vips.filter(({ owner }) => owner !== null).map((vip) => vip.address));
        return this.#addresses.filter((address) => !known.has(address)).length;
      };
      await eventually("all owners to be known", unowned, {
        timeoutMs: COLD_TIMEOUT_MS,
        intervalMs: 500,
        until: (count) => count === 0,
      });
    }
  }

  async #requestRate(ms: number): Promise<number> {
    const before = await this.#requests();
    await sleep(ms);
    return ((await this.#requests()) - before) / (ms / 1_000);
  }

  /** Requests that the API server has answered since it was started. */
  async #requests(): Promise<number> {
    const text = await this.#cluster.controlPlane.kubectl(["get", "--raw", "/metrics"]);
    const counts = text.matchAll(/^apiserver_request_total\{[^}]*\} (\S+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }
}

/** Of the addresses of the pool, from 0. */
function placeOf(address: string): number {
  const [third = 0, fourth = 0] = address.split(".").slice(2).map(Number);
  return third * LAST_BYTE + fourth;
}

function addressAt(place: number): string {
  return `10.99.${Math.floor(place / LAST_BYTE)}.${place % LAST_BYTE}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
