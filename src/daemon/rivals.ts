// Another load balancer at work in this cluster. While MetalLB's controller runs, or somebody
// fights over statuses, no address is given to a Service; while its speaker runs on this node,
// nothing is answered from here. Both end by themselves. What cannot be seen changes nothing.

import { isDeepStrictEqual } from "node:util";
import type { Finding } from "../api/types.ts";
import type { NodeFile } from "../config/node-file.ts";
import type { Clock } from "../core/time.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import type { Service } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import type { Workload } from "../k8s-sync/workloads.ts";
import { listWorkloads } from "../k8s-sync/workloads.ts";
import type { OwnershipEvent } from "../ownership/types.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Logger } from "./logger.ts";
import type { AtWork, MetallbAtWork, PlacedNode } from "./metallb-workloads.ts";
import { metallbAtWork, metallbGoing } from "./metallb-workloads.ts";
import { Overwrites } from "./overwrites.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface RivalsOptions {
  readonly client: ApiRequests;
  readonly file: RivalsFile;
  readonly clock: Pick<Clock, "boot">;
  readonly log: Logger;
  readonly cluster: Pick<ClusterView, "nodes">;
  readonly tellResponder: (message: ToResponder) => void;
  /** What the node Lease says of this node has changed. */
  readonly tellOwnership: (event: OwnershipEvent) => void;
  /** Whether addresses may be given to Services has changed. */
  readonly onChange: () => void;
}

type RivalsFile = Pick<NodeFile, "nodeName" | "namespace" | "mode" | "loadBalancerClass">;

/** Two lists of a handful of objects. */
const LOOK_EVERY_MS = 10_000;
/** While something that is at work here is about to go. */
const GOING_LOOK_EVERY_MS = 1_000;
/** A minute: what has not gone by then may take as long as it likes. */
const GOING_LOOKS_MAX = 60;
/** A pod that is no longer wanted goes on for seconds: it is gone when it was not seen twice. */
const UNSEEN_MIN = 2;

type Kind = keyof MetallbAtWork;

export class Rivals implements Task {
  readonly name = "rivals";
  readonly #options: RivalsOptions;
  readonly #overwrites = new Overwrites();
  /** What is at work, with how often it was not seen since. */
  readonly #atWork = new Map<Kind, AtWork & { readonly unseen: number }>();
  #hasLooked = false;
  /** As it was told last. */
  #mayAllocate = false;
  #failure: ApiFailure | null = null;
  /** Looks in a row that found something about to go. */
  #goingLooks = 0;
  /** As they were at the last look. */
  #labels: PlacedNode["labels"] = null;
  #isHurried = false;
  #hurry: () => void = () => {};

  constructor(options: RivalsOptions) {
    this.#options = options;
  }

  /** Not before the first look: an address that was given is not taken back. */
  get mayAllocate(): boolean {
    return this.#hasLooked && !this.#atWork.has("controller") && this.#fight === null;
  }

  /** Why no address is given to a Service, in words, as far as this node sees it; or null. */
  get whyNotAllocating(): string | null {
    if (!this.#hasLooked) return "whether MetalLB gives addresses is not known yet";
    const controller = this.#atWork.get("controller");
    if (controller !== undefined) {
      return `addresses are left to MetalLB's controller, which is at work: ${controller.reason}`;
    }
    const fight = this.#fight;
    if (fight === null) return null;
    return `lbd gives none for five minutes: somebody else overwrites the status of "${fight}"`;
  }

  /** Why nothing is answered from this node, in words, or null. */
  get whyMuted(): string | null {
    const speaker = this.#atWork.get("speaker");
    if (speaker === undefined) return null;
    return `this node leaves it to MetalLB's speaker, which is at work on it: ${speaker.reason}`;
  }

  /** For the node Lease: "yes", or "no: " and why; lbctl waits for it when a node is taken over. */
  get answers(): string {
    if (!this.#hasLooked) return "no: it has not looked yet whether MetalLB runs beside it";
    return this.#atWork.has("speaker") ? "no: MetalLB's speaker runs on this node" : "yes";
  }

  /** How long the next look may wait. */
  get nextLookMs(): number {
    const isGoing = this.#goingLooks > 0 && this.#goingLooks <= GOING_LOOKS_MAX;
    return isGoing ? GOING_LOOK_EVERY_MS : LOOK_EVERY_MS;
  }

  /** Whether an Event tells of what this node does, and not of what it would do. */
  allows({ action }: Pick<EventInput, "action">): boolean {
    if (this.#options.file.mode === "shadow") return false;
    return action !== "Announce" || !this.#atWork.has("speaker");
  }

  aboutToWrite(service: Service): void {
    this.#overwrites.aboutToWrite(service, this.#options.clock.boot());
    // Not within the allocator's own step.
    queueMicrotask(() => this.#tellChange());
  }

  written(service: Service): void {
    this.#overwrites.written(service, this.#options.clock.boot());
  }

  /** One look after the other: what an older one found must not undo a newer one. */
  async run(signal: AbortSignal): Promise<void> {
    const end = aborted(signal);
    while (!signal.aborted) {
      await this.look(signal);
      await Promise.race([this.#pause(), end]);
      this.#hurry();
    }
  }

  /** Nodes have changed: a label of this one may be what the speakers are selected by. */
  nodesChanged(): void {
    if (!this.#hasLooked || isDeepStrictEqual(this.#placed().labels, this.#labels)) return;
    this.#isHurried = true;
    this.#hurry();
  }

  /** Until the next look is due, or somebody is in a hurry. */
  async #pause(): Promise<void> {
    if (!this.#isHurried) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, this.nextLookMs);
      this.#hurry = resolve;
      await promise;
      clearTimeout(timer);
    }
    this.#isHurried = false;
  }

  async look(signal?: AbortSignal): Promise<void> {
    const { client, file } = this.#options;
    this.#labels = this.#placed().labels;
    const read = (kind: Workload["kind"]) =>
      listWorkloads(client, { kind, namespace: file.namespace }, signal ? { signal } : {});
    const answers = await Promise.all([read("Deployment"), read("DaemonSet")]);
    if (signal?.aborted !== true) this.#found(...answers);
  }

  findings(): Finding[] {
    const { namespace } = this.#options.file;
    const found: Finding[] = [];
    const controller = this.#atWork.get("controller");
    if (controller !== undefined) {
      const scale = `kubectl scale deployment ${controller.name} -n ${namespace} --replicas=0`;
      found.push({
        health: "degraded",
        what: "MetalLB's controller is at work: addresses are left to it, none is given by lbd",
        cause: controller.reason,
        next: `lbctl import metallb; ${scale}`,
      });
    }
    const speaker = this.#atWork.get("speaker");
    if (speaker !== undefined) {
      found.push({
        health: "degraded",
        what: "MetalLB's speaker runs on this node: it answers, and lbd does not",
        cause: speaker.reason,
        next: "lbctl import metallb, which says how this node is taken over",
      });
    }
    return [...found, ...this.#fightFinding(), ...this.#blindFinding()];
  }

  get #fight(): string | null {
    return this.#overwrites.rival(this.#options.clock.boot());
  }

  #fightFinding(): Finding[] {
    if (this.#fight === null) return [];
    const [namespace, name] = this.#fight.split("/");
    return [
      {
        health: "degraded",
        what: "Somebody else writes addresses into Services: lbd gives none for five minutes",
        cause: `the status of Service "${this.#fight}" was overwritten each time it was written`,
        next: `kubectl get service ${name} -n ${namespace} -o yaml --show-managed-fields`,
      },
    ];
  }

  /** An API that is away is told of elsewhere. */
  #blindFinding(): Finding[] {
    if (this.#failure?.kind !== "forbidden") return [];
    return [
      {
        health: "ok",
        what: "Whether MetalLB runs beside lbd cannot be seen: it is taken not to",
        cause: this.#failure.message,
        next: "kubectl apply -f deploy/rbac.yaml",
      },
    ];
  }

  #found(
    deployments: Outcome<readonly Workload[]>,
    daemonSets: Outcome<readonly Workload[]>,
  ): void {
    const isMuted = this.#atWork.has("speaker");
    const answered = this.answers;
    const placed = this.#placed();
    this.#hasLooked = true;
    this.#failure = null;
    const { loadBalancerClass } = this.#options.file;
    let isGoing = false;
    for (const [name, read] of Object.entries({ controller: deployments, speaker: daemonSets })) {
      const kind = name as Kind;
      if (!read.ok) {
        this.#failure = read.failure;
        continue;
      }
      this.#saw(kind, metallbAtWork(read.value, placed, loadBalancerClass)[kind]);
      if (!this.#atWork.has(kind)) continue;
      isGoing ||= metallbGoing(read.value, placed, loadBalancerClass)[kind];
    }
    this.#goingLooks = isGoing ? this.#goingLooks + 1 : 0;
    this.#tellChange();
    if (this.#atWork.has("speaker") !== isMuted) {
      this.#options.tellResponder({ type: "mute", isMuted: !isMuted });
    }
    if (this.answers !== answered) this.#options.tellOwnership({ type: "presence-changed" });
  }

  #placed(): PlacedNode {
    const { cluster, file } = this.#options;
    const node = cluster.nodes.get(file.nodeName);
    const labels = node?.metadata.labels ?? null;
    const mayHaveSpeaker = !this.#hasLooked || this.#atWork.has("speaker");
    return { name: file.nodeName, labels, mayHaveSpeaker };
  }

  #tellChange(): void {
    if (this.mayAllocate === this.#mayAllocate) return;
    this.#mayAllocate = !this.#mayAllocate;
    this.#options.onChange();
  }

  #saw(kind: Kind, atWork: AtWork | null): void {
    const known = this.#atWork.get(kind);
    if (atWork !== null) this.#atWork.set(kind, { ...atWork, unseen: 0 });
    else if (known !== undefined && known.unseen + 1 < UNSEEN_MIN) {
      this.#atWork.set(kind, { ...known, unseen: known.unseen + 1 });
    } else this.#atWork.delete(kind);
    const isNew = this.#atWork.has(kind) !== (known !== undefined);
    if (!isNew) return;
    const { log } = this.#options;
    const text = `MetalLB's ${kind} is ${atWork === null ? "gone" : "at work"}`;
    log.warn({ event: "metallb", kind, reason: atWork?.reason ?? null }, text);
  }
}
