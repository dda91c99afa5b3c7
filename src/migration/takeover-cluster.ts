// Reads where a cluster is between MetalLB and lbd, and does what a step says. A workload that is
// not as it was read is left alone, and the step not done.

import { AppError } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import type { BootMs, WallMs } from "../core/time.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { listAll } from "../k8s-sync/lister.ts";
import { type ApiFailure, isRefusal } from "../k8s-sync/outcome.ts";
import { isOfMetallb } from "../k8s-sync/workloads.ts";
import { LbdPresence } from "./lbd-presence.ts";
import {
  announcedOf,
  controllerOf,
  decodeFound,
  type Found,
  markOf,
  type SpeakerPod,
  speakerOf,
  speakerPodOf,
} from "./takeover-objects.ts";
import type { Announced, Deed, NodeState, SpeakerMark, TakeoverState } from "./takeover-state.ts";
import { REPLICAS_NOTE, SPEAKER_LABEL, STRATEGY_NOTE, TAKEN_NOTE } from "./takeover-state.ts";
import { unowned } from "./takeover-steps.ts";

export interface TakeoverOptions {
  readonly client: ApiRequests;
  /** MetalLB's. */
  readonly namespace: string;
  /** lbd's, with its Leases. */
  readonly systemNamespace: string;
  readonly clock: { readonly wall: () => WallMs; readonly boot: () => BootMs };
}

const APPS = "/apis/apps/v1/namespaces";

export class TakeoverCluster {
  readonly #options: TakeoverOptions;
  readonly #presence = new LbdPresence();
  #workloads: { controller: Found | null; speaker: Found | null } | null = null;
  #announced: readonly Announced[] | null = null;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** Throws AppError API_UNREACHABLE, also when something may not be read. */
  async read(): Promise<TakeoverState> {
    const { namespace } = this.#options;
    const [deployments, daemonSets, pods, nodes] = await Promise.all([
      this.#list(`${APPS}/${namespace}/deployments`),
      this.#list(`${APPS}/${namespace}/daemonsets`),
      this.#list(`/api/v1/namespaces/${namespace}/pods`),
      this.#list("/api/v1/nodes"),
    ]);
    const find = (all: readonly Found[], component: "controller" | "speaker"): Found | null =>
      all.find(({ metadata }) => isOfMetallb(metadata, component)) ?? null;
    const controller = find(deployments, "controller");
    const speaker = find(daemonSets, "speaker");
    this.#workloads = { controller, speaker };
    const uid = speaker?.metadata.uid ?? "";
    const speakers = pods.flatMap((pod) => speakerPodOf(pod, uid) ?? []);
    return {
      namespace,
      controller: controller === null ? null : controllerOf(controller),
      speaker: speaker === null ? null : speakerOf(speaker),
      nodes: await this.#nodes(nodes, speakers),
      announced: await this.#readAnnounced(),
    };
  }

  /** False: what it is about has changed since it was read. Throws AppError REFUSED. */
  async perform(deed: Deed): Promise<boolean> {
    switch (deed.do) {
      case "mark-nodes": {
        for (const node of deed.nodes) {
          if (!(await this.#patch(`/api/v1/nodes/${node}`, markPatch(deed.mark)))) return false;
        }
        return true;
      }
      case "scale-controller": {
        const { metadata, raw } = this.#workload("controller");
        const before = String(controllerOf({ metadata, raw }).replicas);
        const note = { [REPLICAS_NOTE]: deed.isBack ? null : before };
        return this.#patchWorkload("controller", note, { replicas: deed.replicas });
      }
      case "restrict-speakers": {
        const { updateStrategy } = specOf(this.#workload("speaker"));
        const note = { [STRATEGY_NOTE]: JSON.stringify(updateStrategy) };
        return this.#patchWorkload("speaker", note, {
          // So that those that stay do not restart: the pods are made by a template that changes.
          updateStrategy: { type: "OnDelete", rollingUpdate: null },
          ...selecting("yes"),
        });
      }
      case "free-speakers": {
        const noted = this.#workload("speaker").metadata.annotations[STRATEGY_NOTE];
        const strategy =
          noted === undefined ? {} : { updateStrategy: JSON.parse(noted) as unknown };
        const note = { [STRATEGY_NOTE]: null };
        return this.#patchWorkload("speaker", note, { ...strategy, ...selecting(null) });
      }
    }
  }

  #workload(kind: "controller" | "speaker"): Found {
    const found = this.#workloads?.[kind] ?? null;
    invariant(found !== null, "a step is about what was read");
    return found;
  }

  #patchWorkload(
    kind: "controller" | "speaker",
    annotations: Readonly<Record<string, string | null>>,
    spec: object,
  ): Promise<boolean> {
    const { namespace } = this.#options;
    const { name, resourceVersion } = this.#workload(kind).metadata;
    const resource = kind === "controller" ? "deployments" : "daemonsets";
    const body = { metadata: { resourceVersion, annotations }, spec };
    return this.#patch(`${APPS}/${namespace}/${resource}/${name}`, body);
  }

  async #patch(path: string, body: object): Promise<boolean> {
    const contentType = "application/merge-patch+json";
    const answer = await this.#options.client.request({
      method: "PATCH",
      path,
      contentType,
      body,
    });
    if (answer.ok) return true;
    const { kind, message } = answer.failure;
    const isOver = isRefusal(answer.failure) && kind !== "conflict" && kind !== "not-found";
    if (isOver) throw new AppError("REFUSED", message);
    return false;
  }

  async #nodes(nodes: readonly Found[], speakers: readonly SpeakerPod[]): Promise<NodeState[]> {
    const { client, systemNamespace, clock } = this.#options;
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases`;
    const read = async ({ metadata }: Found): Promise<NodeState> => {
      const { name } = metadata;
      const path = `${leases}/lbd-node-${name}`;
      const answer = await client.request({ method: "GET", path });
      if (!answer.ok && answer.failure.kind !== "not-found") {
        throw unreadable(answer.failure);
      }
      const at = { wall: clock.wall(), boot: clock.boot() };
      const lbd = this.#presence.state(name, answer.ok ? answer.value : null, at);
      const here = speakers.filter(({ node }) => node === name);
      const ready = here.filter(({ isReady }) => isReady).length;
      return { name, mark: markOf(metadata), pods: here.length, ready, lbd };
    };
    const states = await Promise.all(nodes.map(read));
    return states.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Once, and again while something of it has no owner: there may be many Services. */
  async #readAnnounced(): Promise<readonly Announced[]> {
    const known = this.#announced;
    if (known !== null && unowned({ announced: known }).length === 0) return known;
    const { namespace, systemNamespace } = this.#options;
    const statuses = `/apis/metallb.io/v1beta1/namespaces/${namespace}/servicel2statuses`;
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${systemNamespace}/leases`;
    const read = await Promise.all([
      this.#list(statuses),
      this.#list("/api/v1/services"),
      this.#list(leases),
    ]);
    this.#announced = announcedOf(...read);
    return this.#announced;
  }

  async #list(path: string): Promise<Found[]> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const listed = await listAll(this.#options.client, { path, name }, { decode: decodeFound });
    if (listed.ok) return listed.value.items;
    // A kind that this MetalLB does not know.
    if (listed.failure.kind === "not-found") return [];
    throw unreadable(listed.failure);
  }
}

/** What may not be read is not asked for again and again. */
function unreadable(failure: ApiFailure): AppError {
  return new AppError(isRefusal(failure) ? "REFUSED" : "API_UNREACHABLE", failure.message);
}

function specOf({ raw }: Found): { readonly updateStrategy?: unknown } {
  return (raw.spec ?? {}) as { readonly updateStrategy?: unknown };
}

function selecting(value: "yes" | null): object {
  return { template: { spec: { nodeSelector: { [SPEAKER_LABEL]: value } } } };
}

function markPatch(mark: SpeakerMark): object {
  const isTaken = mark === "taken" || mark === "returning";
  const label = mark === null ? null : mark === "yes" || mark === "returning" ? "yes" : "no";
  const labels = { [SPEAKER_LABEL]: label };
  return { metadata: { labels, annotations: { [TAKEN_NOTE]: isTaken ? "yes" : null } } };
}
