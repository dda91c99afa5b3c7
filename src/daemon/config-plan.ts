// What a changed configuration would do to every Service: the present one, changed objects and the
// Services as they are in, a plan out. Pure; any node can do it: the Services' statuses are enough,
// but for what the leader alone knows, which the plan then says.

import type { ConfigPlanView, PlannedChange, PlannedServiceView } from "../api/plan-view.ts";
import type { BgpAdvertisement } from "../config/bgp-advertisement.ts";
import type { ClusterConfig } from "../config/cluster-config.ts";
import type { Labels } from "../config/label-selector.ts";
import type { Manifest } from "../config/manifests.ts";
import type { Ip } from "../core/address.ts";
import { ipFamily } from "../core/address.ts";
import { formatProblem } from "../core/problem.ts";
import { RangeIndex } from "../core/range-index.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { Serving, VipSpec } from "../ownership/types.ts";
import { allocatablePools } from "./allocatable-pools.ts";
import { planAllocation } from "./allocation-plan.ts";
import type { Reach } from "./announcement-plan.ts";
import { announcementChange, reachOf } from "./announcement-plan.ts";
import { changedObjects } from "./changed-objects.ts";
import type { ConfigObjects, ConfigPlaces } from "./config-objects.ts";
import { parseConfigObjects } from "./config-objects.ts";
import type { Placements } from "./placements.ts";
import { rankByOf } from "./rank-by.ts";
import { followed, routedWith } from "./routed-by.ts";
import { currentAddresses, serviceRequest } from "./service-request.ts";
import type { WithheldKnowledge } from "./withheld-knowledge.ts";
import { withheldNotices } from "./withheld-knowledge.ts";

/** Everything that a plan depends on, of one moment. */
export interface PlanSituation {
  readonly places: ConfigPlaces;
  readonly objects: ConfigObjects;
  /** What is in use; not what `objects` say, when those are not valid. */
  readonly config: ClusterConfig;
  /** Those that lbd looks after and that want an address, in the order of the leader. */
  readonly services: readonly Service[];
  /** Labels of the Nodes. */
  readonly nodeLabels: readonly Labels[];
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly reserved: ReadonlyMap<Ip, string>;
  readonly withheld: WithheldKnowledge;
  readonly placementsWith: (config: ClusterConfig) => Placements;
  readonly servingOf: (services: readonly Service[]) => Serving;
  readonly ownerOf: (address: Ip) => string | null;
  /** Who could own it, best first. */
  readonly ranked: (spec: VipSpec) => readonly string[];
}

const NO_CHANGES = { keeps: 0, moves: 0, loses: 0, gains: 0, waits: 0, announcements: 0 } as const;

export function planConfig(
  manifests: readonly Manifest[],
  { replace }: { readonly replace: boolean },
  situation: PlanSituation,
): ConfigPlanView {
  const { places, objects: present, nodeLabels } = situation;
  const changed = changedObjects(manifests, { ...places, objects: present, replace });
  const { changes: objects } = changed;
  const parsed = parseConfigObjects(changed.objects, nodeLabels);
  if (!parsed.ok) {
    const problems = parsed.problems.map(formatProblem);
    const { notices } = changed;
    return { valid: false, problems, notices, objects, summary: NO_CHANGES, services: [] };
  }
  const services = planServices(parsed.value, situation);
  const summary = summaryOf(services);
  const notices = [...changed.notices, ...withheldNotices(services, situation.withheld)];
  return { valid: true, problems: [], notices, objects, summary, services };
}

export function invalidPlan(problems: readonly string[]): ConfigPlanView {
  const nothing = { notices: [], objects: [], summary: NO_CHANGES, services: [] };
  return { valid: false, problems, ...nothing };
}

function planServices(changed: ClusterConfig, situation: PlanSituation): PlannedServiceView[] {
  const { services, config, namespaces, reserved, withheld } = situation;
  const planned = planAllocation(services.map(serviceRequest), {
    before: allocatablePools(config.pools, namespaces),
    after: allocatablePools(changed.pools, namespaces),
    reserved,
    withheld,
    freed: withheld.freed,
  });
  const addresses = new Map([...planned].map(([key, plan]) => [key, plan.addresses]));
  const sides: Sides = {
    before: new Side(config, situation, currentAddresses),
    after: new Side(changed, situation, (service) => addresses.get(objectKey(service)) ?? []),
  };
  return services
    .map((service) => {
      const why = planned.get(objectKey(service))?.why ?? null;
      return planService(service, why, sides);
    })
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}

interface Sides {
  readonly before: Side;
  readonly after: Side;
}

function planService(service: Service, why: string | null, sides: Sides): PlannedServiceView {
  const before = sides.before.addressesOf(service);
  const after = sides.after.addressesOf(service);
  const announcements = after.flatMap((address) => {
    const same = before.find((old) => ipFamily(old) === ipFamily(address));
    const reach = same === undefined ? null : sides.before.reach(same);
    return announcementChange(reach, sides.after.reach(address)) ?? [];
  });
  return {
    service: objectKey(service),
    change: changeOf(before, after),
    before,
    after,
    ownersBefore: before.map((address) => sides.before.ownerNow(address)),
    ownersAfter: after.map((address) => sides.after.ownerOf(address)),
    why,
    announcement: announcements.length === 0 ? null : [...new Set(announcements)].join("; "),
  };
}

/** A second family that is added is a gain; an address that is given up for another is a move. */
function changeOf(before: readonly Ip[], after: readonly Ip[]): PlannedChange {
  if (after.length === 0) return before.length === 0 ? "waits" : "loses";
  const isAllKept = before.every((ip) => after.includes(ip));
  if (!isAllKept) return "moves";
  return after.length > before.length ? "gains" : "keeps";
}

/** The Services with their addresses under one configuration. */
class Side {
  readonly #routes: readonly BgpAdvertisement[];
  readonly #situation: PlanSituation;
  readonly #placements: Placements;
  readonly #pools: RangeIndex<ClusterConfig["pools"][number]>;
  readonly #addressesOf: (service: Service) => readonly Ip[];
  readonly #servicesAt = new Map<Ip, Service[]>();

  constructor(
    config: ClusterConfig,
    situation: PlanSituation,
    addressesOf: (service: Service) => readonly Ip[],
  ) {
    this.#routes = followed(config, situation.nodeLabels);
    this.#situation = situation;
    this.#placements = situation.placementsWith(config);
    this.#pools = new RangeIndex(config.pools);
    this.#addressesOf = addressesOf;
    for (const service of situation.services) {
      for (const address of addressesOf(service)) {
        this.#servicesAt.set(address, [...(this.#servicesAt.get(address) ?? []), service]);
      }
    }
  }

  addressesOf(service: Service): readonly Ip[] {
    return this.#addressesOf(service);
  }

  reach(address: Ip): Reach {
    const { pool, services } = this.#at(address);
    return reachOf(
      this.#placements.of(pool, services),
      this.#placements.advertised(pool, services),
      routedWith(this.#routes, pool, services),
    );
  }

  ownerNow(address: Ip): string | null {
    return this.#situation.ownerOf(address);
  }

  /** Who has it goes on while it may; else it is the first that could. */
  ownerOf(address: Ip): string | null {
    const { pool, services } = this.#at(address);
    const placement = this.#placements.of(pool, services);
    if (placement === undefined) return null;
    const { ownerOf, ranked, servingOf } = this.#situation;
    const serving = servingOf(services);
    const rankBy = rankByOf(address, services, this.#addressesOf);
    const candidates = ranked({ address, rankBy, placement, serving });
    const owner = ownerOf(address);
    return owner !== null && candidates.includes(owner) ? owner : (candidates[0] ?? null);
  }

  #at(address: Ip): { pool: string; services: readonly Service[] } {
    const pool = this.#pools.find(address)?.name ?? "";
    return { pool, services: this.#servicesAt.get(address) ?? [] };
  }
}

function summaryOf(services: readonly PlannedServiceView[]): ConfigPlanView["summary"] {
  const summary: Record<keyof typeof NO_CHANGES, number> = { ...NO_CHANGES };
  for (const { change, announcement } of services) {
    summary[change] += 1;
    if (announcement !== null) summary.announcements += 1;
  }
  return summary;
}
