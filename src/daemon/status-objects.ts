// What this daemon says of itself in the cluster: its ConfigurationState, as the leader also that
// of the controller, and a ServiceL2Status for each Service that it answers for.

import type { ConfigProblem } from "../config/cluster-config.ts";
import type { Ip } from "../core/address.ts";
import type { Random } from "../core/random.ts";
import { after, type BootMs, type Clock } from "../core/time.ts";
import type { ApiWatches } from "../k8s-sync/client.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import type { OwnedObject } from "../k8s-sync/model.ts";
import type { ApiFailure, ApiFailureKind } from "../k8s-sync/outcome.ts";
import { type Sleep, timerSleep } from "../k8s-sync/sleep.ts";
import { StatusObjectClient, type StatusResource } from "../k8s-sync/status-objects.ts";
import type { Ownership } from "../ownership/machine.ts";
import type { Bgp } from "./bgp.ts";
import type { ClusterView } from "./cluster-view.ts";
import { ConfigEvents } from "./config-events.ts";
import { CONTROLLER_STATE, ConfigurationStates, isOfGoneNode } from "./configuration-state.ts";
import type { Logger } from "./logger.ts";
import { wantedBgpStatuses } from "./service-bgp-status.ts";
import type { AnnouncedVip } from "./service-l2-status.ts";
import { selectorOf, wantedL2Statuses } from "./service-l2-status.ts";
import { StatusKeeper, type StatusKeeperOptions } from "./status-keeper.ts";
import { statusOf, type WantedObject } from "./status-object.ts";
import type { Task } from "./tasks.ts";
import { repeat } from "./tasks.ts";

export interface StatusObjectsOptions {
  readonly node: string;
  /** Of the configuration. */
  readonly namespace: string;
  readonly client: ApiWatches;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly cluster: ClusterView;
  readonly isLeader: () => boolean;
  /** Another host has this node's name, and says for it what is to be said. */
  readonly isSilenced: () => boolean;
  readonly machine: () => Pick<Ownership, "owned" | "views">;
  /** Counts up with every change of what the machine owns, and where. */
  readonly tenureChanges: () => number;
  readonly bgp: Pick<Bgp, "announced">;
  readonly record: (event: EventInput) => void;
  readonly sleep?: Sleep;
}

/** A VIP that this node owns, and where it answers. */
interface OwnedVip {
  readonly address: Ip;
  readonly interfaces: readonly string[];
}

/** A daemon that is started anew has taken up by then what it had, and what is left over is. */
const START_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
const HINTS: Partial<Record<ApiFailureKind, string>> = {
  "not-found": "; everything else works without: kubectl apply -f deploy/crds.yaml",
  forbidden: ": kubectl apply -f deploy/rbac.yaml",
};

export class StatusObjects implements Task {
  readonly name = "status-objects";
  readonly #options: StatusObjectsOptions;
  readonly #states: StatusKeeper;
  readonly #l2: StatusKeeper;
  readonly #bgp: StatusKeeper;
  readonly #configurationStates = new ConfigurationStates();
  readonly #configEvents: ConfigEvents;
  readonly #startedAt: BootMs;
  #wasLeader = false;
  #tenureChanges = 0;
  /** What was told of, or found to be told of; null: nothing since this node leads. */
  #checked: readonly ConfigProblem[] | null = null;

  constructor(options: StatusObjectsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.boot();
    this.#configEvents = new ConfigEvents(options.record);
    this.#states = this.#keeper("configurationstates", {
      wanted: (actual) => this.#wantedStates(actual),
      mayDelete: (object) =>
        options.isLeader() &&
        options.cluster.isListed &&
        isOfGoneNode(object, options.cluster.nodes.keys()),
    });
    this.#bgp = this.#keeper("servicebgpstatuses", {
      labelSelector: selectorOf(options.node),
      wanted: () => this.#wantedBgp(),
      mayDelete: () => options.clock.boot() >= after(this.#startedAt, START_MS),
    });
    this.#l2 = this.#keeper("servicel2statuses", {
      labelSelector: selectorOf(options.node),
      wanted: () => this.#wantedL2(),
      mayDelete: () => options.clock.boot() >= after(this.#startedAt, START_MS),
    });
  }

  /** The cluster has changed. */
  kick(): void {
    this.#checkConfig();
    this.#states.kick();
    this.#l2.kick();
    this.#bgp.kick();
  }

  async run(signal: AbortSignal): Promise<void> {
    const looking = repeat(() => this.#look(), LOOK_EVERY_MS, signal);
    await Promise.all([
      this.#states.run(signal),
      this.#l2.run(signal),
      this.#bgp.run(signal),
      looking,
    ]);
  }

  #keeper(
    resource: StatusResource,
    about: Pick<StatusKeeperOptions, "wanted" | "mayDelete" | "labelSelector">,
  ): StatusKeeper {
    const { client, namespace, clock, random, log } = this.#options;
    const objects = new StatusObjectClient(client, { namespace, resource });
    const onFailure = ({ kind, message }: ApiFailure): void =>
      log.warn({ event: "status-objects", resource, kind }, message + (HINTS[kind] ?? ""));
    const { sleep = timerSleep } = this.#options;
    const ports = { client, objects, clock, random, sleep, onFailure };
    return new StatusKeeper({ resource, ...ports, ...about });
  }

  /** Claims tell nobody here: whoever has to answer has more urgent things to do. */
  #look(): void {
    this.#checkLeader();
    const changes = this.#options.tenureChanges();
    if (changes === this.#tenureChanges) return;
    this.#tenureChanges = changes;
    this.#l2.kick();
  }

  #checkLeader(): void {
    const isLeader = this.#options.isLeader();
    if (isLeader === this.#wasLeader) return;
    this.#wasLeader = isLeader;
    // What it knew of another's object may be old when it leads again.
    this.#configurationStates.forget(CONTROLLER_STATE);
    if (!isLeader) this.#configEvents.forget();
    this.#checked = null;
    this.kick();
  }

  #checkConfig(): void {
    const { cluster } = this.#options;
    const { configProblems: problems, configObjects: objects } = cluster;
    if (!this.#wasLeader || !cluster.isListed || problems === this.#checked) return;
    // Later on it says what this daemon has told itself.
    const summary = this.#checked === null ? this.#controllerSummary() : null;
    this.#checked = problems;
    this.#configEvents.check({ problems, objects }, summary);
  }

  #controllerSummary(): string | null {
    const controller = this.#states.actual(CONTROLLER_STATE);
    const { errorSummary } = controller === undefined ? {} : statusOf(controller);
    return typeof errorSummary === "string" ? errorSummary : null;
  }

  #wantedStates(
    actual: (name: string) => OwnedObject | undefined,
  ): ReadonlyMap<string, WantedObject> | null {
    const { cluster, clock, isLeader, isSilenced } = this.#options;
    const node = cluster.nodes.get(this.#options.node);
    // Without its Node there is nothing that the object could go with.
    if (node === undefined || !cluster.isListed || isSilenced()) return null;
    const verdict = { isCurrent: cluster.isConfigCurrent, problems: cluster.configProblems };
    const components = isLeader() ? (["speaker", "controller"] as const) : (["speaker"] as const);
    const all = components.map((component) =>
      this.#configurationStates.wanted({ component, node }, verdict, { actual, now: clock.wall() }),
    );
    return new Map(all.map((one) => [one.name, one]));
  }

  #wantedL2(): ReadonlyMap<string, WantedObject> | null {
    const { cluster, isSilenced } = this.#options;
    const node = cluster.nodes.get(this.#options.node);
    if (node === undefined || !cluster.isSynced || isSilenced()) return null;
    return wantedL2Statuses(
      node,
      this.#owned().map((vip) => this.#announced(vip)),
    );
  }

  #wantedBgp(): ReadonlyMap<string, WantedObject> | null {
    const { cluster, isSilenced, bgp } = this.#options;
    const node = cluster.nodes.get(this.#options.node);
    const { announced } = bgp;
    if (node === undefined || !cluster.isSynced || isSilenced() || announced === null) return null;
    return wantedBgpStatuses(node, announced);
  }

  #owned(): OwnedVip[] {
    const machine = this.#options.machine();
    return machine.owned().map((address) => {
      const phase = machine.views.state(address)?.phase;
      return { address, interfaces: phase?.kind === "owning" ? phase.interfaces : [] };
    });
  }

  #announced(vip: OwnedVip): AnnouncedVip {
    const { cluster, node } = this.#options;
    const placement = cluster.placementOf(vip.address)?.nodes.get(node);
    const named = placement?.allowed === true ? placement.interfaces : null;
    const interfaces = named === null ? null : vip.interfaces;
    return { services: cluster.servicesOf(vip.address), interfaces };
  }
}
