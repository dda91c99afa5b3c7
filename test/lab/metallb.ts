// Stands in for MetalLB, and for the controllers and kubelets that would run it: makes its
// Deployment and its DaemonSet, gives each the pods and the status that it would have, and answers
// ARP on the nodes that have a speaker. A speaker answers for what its node ranks first for among
// all nodes: real ones would take over from each other, too.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ip } from "../../src/core/address.ts";
import type { ApiClient, ApiRequest } from "../../src/k8s-sync/client.ts";
import { decodeList } from "../../src/k8s-sync/decode.ts";
import { Ranking } from "../../src/ownership/ranking.ts";
import { controllerObject, speakerObject } from "../support/metallb-objects.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";
import type { LabNode } from "./node.ts";
import type { SpeakerQuestion } from "./speaker-program.ts";

const PROGRAM = join(import.meta.dirname, "speaker-program.ts");
const NAMESPACE = "metallb-system";
const APPS = `/apis/apps/v1/namespaces/${NAMESPACE}`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;
const RECONCILE_EVERY_MS = 100;
/** A speaker has 2 s to end; it goes on meanwhile. */
const GRACE_MS = 1_000;

type Selector = Readonly<Record<string, string>>;

interface Metadata {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly labels?: Selector;
}

interface DaemonSet {
  readonly metadata: Metadata;
  readonly spec: { readonly template: { readonly spec: { readonly nodeSelector?: Selector } } };
  readonly status: { readonly observedGeneration?: number };
}

interface Deployment {
  readonly metadata: Metadata;
  readonly spec: { readonly replicas: number };
  readonly status: { readonly replicas?: number; readonly observedGeneration?: number };
}

interface Speaker {
  readonly program: LabProgram<SpeakerQuestion, number>;
  hasPod: boolean;
  /** Since it was told to go. */
  goingSince: number | null;
}

export class MetallbStandIn {
  readonly #lab: Lab;
  readonly #client: ApiClient;
  readonly #ranking = new Ranking((text) => createHash("sha256").update(text).digest("hex"));
  readonly #speakers = new Map<string, Speaker>();
  readonly #abort = new AbortController();
  #addresses: readonly string[] = [];
  #running: Promise<void> = Promise.resolve();
  /** Kubelets that do not end pods. */
  keepsPods = false;

  constructor(lab: Lab, client: ApiClient) {
    this.#lab = lab;
    this.#client = client;
  }

  /** The node whose speaker answers for the address when all nodes have one. */
  owner(address: string): string {
    const nodes = this.#lab.nodes.map(({ name }) => name);
    return this.#ranking.order(nodes, address as Ip)[0] ?? "";
  }

  /** Resolves when it is all there. */
  async start(options: { readonly replicas: number; readonly speaker?: object }): Promise<void> {
    await this.#ask("POST", `${APPS}/deployments`, controllerObject(options));
    await this.#ask("POST", `${APPS}/daemonsets`, speakerObject(options.speaker));
    for (const node of this.#lab.nodes) this.#speakers.set(node.name, await this.#speaker(node));
    await this.#reconcile();
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    for (const { program } of this.#speakers.values()) program.end();
  }

  /** What its controller has given away, for the speakers to answer for. */
  async answerFor(addresses: readonly string[]): Promise<void> {
    this.#addresses = addresses;
    for (const [node, { hasPod }] of this.#speakers) if (hasPod) await this.#tell(node);
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      await this.#reconcile();
      await sleep(RECONCILE_EVERY_MS);
    }
  }

  async #speaker(node: LabNode): Promise<Speaker> {
    const index = await node.run(["cat", "/sys/class/net/eth0/ifindex"]);
    const argv = [PROGRAM, index.trim(), node.mac()];
    return { program: new LabProgram(this.#lab, node, argv), hasPod: false, goingSince: null };
  }

  async #reconcile(): Promise<void> {
    const deployment = await this.#ask<Deployment>("GET", `${APPS}/deployments/controller`);
    const daemonSet = await this.#ask<DaemonSet>("GET", `${APPS}/daemonsets/speaker`);
    const nodes = await this.#ask("GET", "/api/v1/nodes");
    if (deployment !== null) await this.#reconcileController(deployment);
    if (daemonSet === null || nodes === null) return;
    const { nodeSelector = {} } = daemonSet.spec.template.spec;
    for (const { metadata } of decodeList(nodes).items as readonly { metadata: Metadata }[]) {
      const { name, labels = {} } = metadata;
      const isWanted = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value);
      if (isWanted) await this.#ensurePod(name, daemonSet);
      else await this.#endPod(name);
    }
    const count = [...this.#speakers.values()].filter(({ hasPod }) => hasPod).length;
    const { generation: observedGeneration } = daemonSet.metadata;
    const scheduled = { currentNumberScheduled: count, desiredNumberScheduled: count };
    const counts = { ...scheduled, numberMisscheduled: 0, numberReady: count };
    await this.#setStatus(`${APPS}/daemonsets/speaker`, daemonSet.status, {
      ...{ ...counts, numberAvailable: count, observedGeneration },
    });
  }

  async #reconcileController({ metadata, spec, status }: Deployment): Promise<void> {
    const { replicas } = spec;
    const counts = { replicas, readyReplicas: replicas, availableReplicas: replicas };
    const { generation: observedGeneration } = metadata;
    await this.#setStatus(`${APPS}/deployments/controller`, status, {
      ...{ ...counts, observedGeneration },
    });
  }

  async #setStatus(path: string, before: object, status: object): Promise<void> {
    const known = before as Readonly<Record<string, unknown>>;
    const isSame = Object.entries(status).every(([key, value]) => (known[key] ?? 0) === value);
    if (!isSame) await this.#ask("PATCH", `${path}/status`, { status });
  }

  async #ensurePod(node: string, { metadata }: DaemonSet): Promise<void> {
    const speaker = this.#speakers.get(node);
    if (speaker === undefined || speaker.hasPod) return;
    const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "speaker", uid: metadata.uid };
    const name = `speaker-${node}`;
    await this.#ask("POST", PODS, {
      metadata: { name, ownerReferences: [owner] },
      spec: { nodeName: node, containers: [{ name: "speaker", image: "speaker" }] },
    });
    const conditions = [{ type: "Ready", status: "True" }];
    const status = { phase: "Running", conditions };
    await this.#ask("PATCH", `${PODS}/${name}/status`, { status });
    Object.assign(speaker, { hasPod: true, goingSince: null });
    await this.#tell(node);
  }

  /** It goes on until its grace is over, and is gone then. */
  async #endPod(node: string): Promise<void> {
    const speaker = this.#speakers.get(node);
    if (speaker === undefined || !speaker.hasPod || this.keepsPods) return;
    speaker.goingSince ??= performance.now();
    if (performance.now() - speaker.goingSince < GRACE_MS) return;
    await speaker.program.ask({ addresses: [] });
    await this.#ask("DELETE", `${PODS}/speaker-${node}`, { gracePeriodSeconds: 0 });
    speaker.hasPod = false;
  }

  async #tell(node: string): Promise<void> {
    const addresses = this.#addresses.filter((address) => this.owner(address) === node);
    await this.#speakers.get(node)?.program.ask({ addresses });
  }

  /** Null: there is no such object. */
  async #ask<T = object>(
    method: ApiRequest["method"],
    path: string,
    body?: object,
  ): Promise<T | null> {
    const contentType = method === "PATCH" ? { contentType: "application/merge-patch+json" } : {};
    const request = { method, path, ...(body && { body }), ...contentType, timeoutMs: 20_000 };
    const answer = await this.#client.request<T>(request);
    if (answer.ok) return answer.value;
    const { kind, message } = answer.failure;
    if (kind === "not-found" || kind === "conflict") return null;
    throw new Error(message);
  }
}
