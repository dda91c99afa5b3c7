// Gathers what a plan of a changed configuration depends on, and has it made. Nothing is changed.

import type { ConfigPlanView, PlanRequest } from "../api/plan-view.ts";
import type { CommandResult } from "../api/routes.ts";
import { readManifests } from "../config/manifests.ts";
import type { Ip } from "../core/address.ts";
import { formatProblem } from "../core/problem.ts";
import type { Clock } from "../core/time.ts";
import type { Ownership } from "../ownership/machine.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ConfigPlaces } from "./config-objects.ts";
import type { PlanSituation } from "./config-plan.ts";
import { invalidPlan, planConfig } from "./config-plan.ts";
import type { Namespaces } from "./namespaces.ts";
import { wantsAddress } from "./service-request.ts";
import type { WithheldKnowledge } from "./withheld-knowledge.ts";

export interface ConfigPlannerOptions {
  readonly places: ConfigPlaces;
  readonly clock: Pick<Clock, "boot">;
  readonly cluster: ClusterView;
  readonly namespaces: Pick<Namespaces, "labels">;
  readonly reserved: () => ReadonlyMap<Ip, string>;
  readonly withheld: () => WithheldKnowledge;
  readonly machine: () => Pick<Ownership, "views">;
}

export class ConfigPlanner {
  readonly #options: ConfigPlannerOptions;

  constructor(options: ConfigPlannerOptions) {
    this.#options = options;
  }

  plan({ files, replace }: PlanRequest): CommandResult<ConfigPlanView> {
    const { cluster, namespaces } = this.#options;
    // The Services that are not listed yet would all seem to be gone.
    const isRead = cluster.isSynced && namespaces.labels !== null;
    if (!isRead) {
      const why = "the cluster has not been read yet, or was never read as a whole";
      const message = `Cannot plan: ${why}; see "lbctl status"`;
      return { ok: false, kind: "refused", message };
    }
    const manifests = readManifests(files);
    if (!manifests.ok) {
      return { ok: true, value: invalidPlan(manifests.problems.map(formatProblem)) };
    }
    const value = planConfig(manifests.value, { replace }, this.#situation());
    return { ok: true, value };
  }

  #situation(): PlanSituation {
    const { places, cluster, namespaces, clock, reserved, machine } = this.#options;
    const { views } = machine();
    const now = clock.boot();
    const services = [...cluster.services.values()];
    return {
      places,
      objects: cluster.configObjects,
      config: cluster.config,
      services: services.filter((one) => cluster.isOurs(one) && wantsAddress(one)),
      nodeLabels: [...cluster.nodes.values()].map(({ metadata }) => metadata.labels),
      namespaces: namespaces.labels ?? new Map(),
      reserved: reserved(),
      withheld: this.#options.withheld(),
      placementsWith: (config) => cluster.placementsWith(config),
      servingOf: (services) => cluster.servingOf(services),
      ownerOf: (address) => views.state(address)?.record?.owner ?? null,
      ranked: (spec) => views.ranked(spec, now),
    };
  }
}
