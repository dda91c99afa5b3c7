// Does what the plan of a soak says, step by step, and samples the daemons meanwhile.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import type { DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import type { LabProgram } from "../lab/lab-program.ts";
import type { LabNode } from "../lab/node.ts";
import { BUNDLED } from "./bundled-cluster.ts";
import type { SoakPlan, SoakService, SoakStep } from "./soak-plan.ts";
import type { SoakAnswer, SoakQuestion } from "./soak-prober.ts";
import type { DoneStep } from "./soak-rows.ts";
import { Samples } from "./soak-samples.ts";

export type SoakProber = LabProgram<SoakQuestion, SoakAnswer>;

const SAMPLE_EVERY_MS = 10_000;

export class SoakConductor {
  readonly samples = new Samples();
  /** Faults and their ends, not what happens to Services. */
  readonly done: DoneStep[] = [];
  readonly #cluster: DaemonCluster;
  readonly #prober: SoakProber;
  readonly #onProgress: (text: string) => void;

  constructor(cluster: DaemonCluster, prober: SoakProber, onProgress: (text: string) => void) {
    this.#cluster = cluster;
    this.#prober = prober;
    this.#onProgress = onProgress;
  }

  /**
   * Returns the boot time of its start, in ms. Steps that come late, as after a slow start, follow
   * at once.
   */
  async run(plan: SoakPlan, lastsMs: number): Promise<number> {
    const startedAt = bootTimeMs();
    const sampling = setInterval(() => this.#sample(), SAMPLE_EVERY_MS);
    this.#sample();
    try {
      for (const step of plan.steps) {
        await sleep(Math.max(0, startedAt + step.atMs - bootTimeMs()));
        const at = bootTimeMs();
        this.#tell(step, at - startedAt);
        if (!("service" in step)) this.done.push({ at, kind: step.kind });
        await this.#do(step);
      }
      await sleep(Math.max(0, startedAt + lastsMs - bootTimeMs()));
      this.#sample();
      return startedAt;
    } finally {
      clearInterval(sampling);
    }
  }

  #sample(): void {
    const at = bootTimeMs();
    for (const [node, daemon] of this.#cluster.daemons) {
      if (daemon.process.isRunning) this.samples.add(node, daemon.process.pid, at);
    }
  }

  #tell(step: SoakStep, afterMs: number): void {
    const what = "service" in step ? step.service.name : "node" in step ? `node${step.node}` : "";
    this.#onProgress(`+${(afterMs / 1_000).toFixed(0)} s ${step.kind} ${what}`.trimEnd());
  }

  #do(step: SoakStep): Promise<unknown> {
    const { controlPlane } = this.#cluster;
    switch (step.kind) {
      case "service created":
        return this.#create(step.service);
      case "service deleted":
        return this.#delete(step.service);
      case "daemon stopped":
        return this.#cluster.daemon(this.#node(step.node).name).kill("SIGTERM");
      case "daemon started":
        return this.#cluster.start(this.#node(step.node), BUNDLED);
      case "cables pulled":
        return this.#node(step.node).pullCables();
      case "cables plugged":
        return this.#node(step.node).plugCables();
      case "data cable pulled":
        return this.#node(step.node).dataLink.down();
      case "data cable plugged":
        return this.#node(step.node).dataLink.up();
      case "api stopped":
        return controlPlane.stopApiServer();
      case "api started":
        return controlPlane.startApiServer();
      default:
        return step satisfies never;
    }
  }

  #node(index: number): LabNode {
    return this.#cluster.lab.node(index);
  }

  async #create({ name, address }: SoakService): Promise<void> {
    await this.#prober.ask({ kind: "watch", addresses: [address] });
    await this.#cluster.createService(name, { loadBalancerIP: address });
  }

  async #delete({ name, address }: SoakService): Promise<void> {
    await this.#prober.ask({ kind: "unwatch", addresses: [address] });
    await this.#cluster.deleteService(name);
  }
}
