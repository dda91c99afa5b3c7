// What the socket API shows, gathered from the parts of the daemon. Reads only.

import type { FramesView } from "../api/frames-view.ts";
import type { PlanRequest, ShadowView } from "../api/plan-view.ts";
import type { ApiSource, CommandResult } from "../api/routes.ts";
import type {
  DrainView,
  Finding,
  HistoryView,
  MoveView,
  NodeView,
  PoolView,
  ServiceView,
  StandingFinding,
  StatusView,
  StreamEvent,
  VipView,
} from "../api/types.ts";
import type { Ip } from "../core/address.ts";
import { CLUSTER_SETTING } from "../core/node-account.ts";
import { formatProblem } from "../core/problem.ts";
import type { BootMs, Clock } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import type { HistoryFilter, Store } from "../store/store.ts";
import type { AddressProbeTask } from "./address-probe-task.ts";
import type { AllocationController } from "./allocation-controller.ts";
import type { ApiHealth } from "./api-health.ts";
import type { Bgp } from "./bgp.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { ConfigPlanner } from "./config-planner.ts";
import type { Drain } from "./drain.ts";
import { explain } from "./explain.ts";
import { countFindings, type Findable, findings, worst } from "./findings.ts";
import { framesView } from "./frames-view.ts";
import { type Happenings, type HealthNow, historyView } from "./happenings.ts";
import { daemonStates, heardPeers, jittersOf } from "./heard-peers.ts";
import { type Here, plannedMove, whyStuck } from "./moves.ts";
import { whyOrphan } from "./orphans.ts";
import type { OwnershipDriver } from "./ownership-driver.ts";
import { healthProblem } from "./placements.ts";
import { poolViews } from "./pool-views.ts";
import { processUse } from "./process-use.ts";
import type { ReservedAddresses } from "./reserved-addresses.ts";
import type { Responder } from "./responder.ts";
import type { Rivals } from "./rivals.ts";
import { followedIn, routedBy } from "./routed-by.ts";
import { currentAddresses, POOL_ANNOTATION, requestedAddresses } from "./service-request.ts";
import type { Shadow } from "./shadow.ts";
import { StandingFindings } from "./standing-findings.ts";
import { vipViews } from "./vip-views.ts";
import type { WireAsks } from "./wire-asks.ts";

export interface ViewSources {
  readonly node: string;
  readonly clock: Clock;
  readonly startedAt: BootMs;
  /** "" before there is a kubeconfig. */
  readonly server: () => string;
  readonly cluster: ClusterView;
  readonly ownership: OwnershipDriver;
  readonly allocation: AllocationController;
  readonly responder: Pick<Responder, "report" | "refresh" | "answersFor" | "frames">;
  readonly store: Store;
  readonly drain: Pick<Drain, "cause" | "force">;
  readonly leader: () => { node: string | null; isThisNode: boolean };
  readonly api: () => ApiHealth;
  readonly host: () => {
    missingInterfaces: readonly string[];
    linkFailure: string | null;
    socketNotice?: string | null;
    beaconProblem?: string | null;
    metricsProblem?: string | null;
    wire?: readonly { address: string; owner: string; macs: readonly string[] }[];
    namesake?: { interface: string; address: string; isNewer: boolean } | null;
    rivals?: readonly Finding[];
  };
  readonly reserved: () => ReservedAddresses;
  /** What the leader knows of addresses on the wire. */
  readonly probes: Pick<AddressProbeTask, "note" | "quarantined">;
  readonly planner: Pick<ConfigPlanner, "plan">;
  readonly rivals: Pick<Rivals, "whyNotAllocating" | "whyMuted">;
  /** Null: this daemon is active. */
  readonly shadow?: Pick<Shadow, "view" | "findings"> | null;
  readonly bgp: Pick<Bgp, "findings" | "peerViews" | "routeViews" | "remaining" | "state">;
  readonly counters: () => Readonly<Record<string, number>>;
  readonly happenings: Pick<Happenings, "follow">;
  readonly wireAsks: Pick<WireAsks, "who">;
}

type Routes = ReturnType<typeof followedIn>;

/** Lines of the status that say what is wrong with the configuration. */
const PROBLEMS_MAX = 1_000;

export class Views implements ApiSource {
  readonly #sources: ViewSources;
  readonly #standing = new StandingFindings();

  constructor(sources: ViewSources) {
    this.#sources = sources;
  }

  refresh(): Promise<void> {
    return this.#sources.responder.refresh();
  }

  /** One line for `systemctl status`. */
  summary(): string {
    const { health, vips, api } = this.status();
    const { trouble } = this.#sources.api();
    const answered = `${vips.ownedHere} of ${vips.total} addresses answered here`;
    if (trouble !== null) return `${trouble} (${health}: ${answered})`;
    const reach = api.reachable ? "" : ", the API cannot be reached";
    return `${health}: ${answered}${reach}`;
  }

  status(): StatusView {
    const { node, clock, startedAt, server, cluster, ownership } = this.#sources;
    const now = clock.boot();
    const { isReachable, lastContactAt } = this.#sources.api();
    const list = this.findings();
    const members = ownership.machine.views.members(now).map((member) => member.node);
    const heard = heardPeers(this.#sources.responder.report().peers);
    // Without the API the members are not known yet, and may be heard all the same.
    const names = new Set([...members, ...heard].filter((name) => name !== node));
    const addresses = cluster.addresses();
    const owned = new Set(ownership.machine.owned());
    const routes = followedIn(cluster);
    const orphans = addresses.filter((address) => this.#isUnserved(address, routes));
    const ago = lastContactAt === null ? null : Math.round((now - lastContactAt) / 1_000);
    return {
      node,
      version: VERSION,
      health: worst(list),
      findings: list,
      uptimeSeconds: Math.round((now - startedAt) / 1_000),
      cluster: settingText(this.#sources.store.setting(CLUSTER_SETTING)),
      api: { server: server(), reachable: isReachable, lastContactSecondsAgo: ago },
      holdover: ownership.machine.views.isHoldover(now),
      leader: this.#sources.leader(),
      peers: { known: names.size, heard: heard.length },
      config: {
        valid: cluster.isConfigCurrent,
        pools: cluster.config.pools.length,
        advertisements: cluster.config.advertisements.length,
        problems: cluster.configProblems.slice(0, PROBLEMS_MAX).map(formatProblem),
      },
      vips: { total: addresses.length, ownedHere: owned.size, withoutOwner: orphans.length },
      process: processUse(),
      counters: this.#sources.counters(),
    };
  }

  findings(): StandingFinding[] {
    return this.#standing.dated(findings(this.#findable()), this.#sources.clock.wall());
  }

  healthNow(): HealthNow {
    const list = this.findings();
    return { health: worst(list), findings: list };
  }

  subscribe(tell: (event: StreamEvent) => void): () => void {
    return this.#sources.happenings.follow(tell);
  }

  /** By kind, those too that are too many to be listed. */
  findingCounts(): ReadonlyMap<string, number> {
    return countFindings(this.#findable());
  }

  #findable(): Findable {
    const { node, cluster, store, responder, shadow } = this.#sources;
    const { cause } = this.#sources.drain;
    const addresses = cluster.addresses();
    const api = this.#sources.api();
    const routes = followedIn(cluster);
    return {
      credentials: api.credentials,
      apiFailures: api.failures,
      leaseFailure: api.leaseFailure,
      writeFailure: this.#sources.allocation.failure(),
      configProblems: cluster.configProblems,
      storeNotice: store.notice,
      storeFailure: store.failure()?.message ?? null,
      groupProblem: responder.report().groupProblem,
      responderProblems: responder.report().problems,
      filtered: responder.report().peers.filter(({ verdict }) => verdict === "answers"),
      foreignClusters: responder.report().foreignClusters,
      orphans: shadow == null ? addresses.flatMap((ip) => this.#orphan(ip, routes)) : [],
      bgp: this.#sources.bgp.findings(),
      shadow: shadow?.findings() ?? [],
      poolConflicts: this.#poolConflicts(),
      drained: cause === null ? null : { cause, node },
      ...this.#sources.host(),
      ...(api.credentials.some(({ health }) => health === "failing")
        ? { beaconProblem: null }
        : {}),
    };
  }

  vips(): VipView[] {
    const { cluster, ownership, responder } = this.#sources;
    return vipViews(cluster, ownership, responder);
  }

  services(): ServiceView[] {
    const { cluster, allocation } = this.#sources;
    const ours = [...cluster.services].filter(
      ([, service]) => cluster.isOurs(service) && service.spec.type === "LoadBalancer",
    );
    return ours
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, service]) => {
        const addresses = currentAddresses(service);
        const requested = requestedAddresses(service);
        return {
          service: key,
          addresses,
          pool: service.metadata.annotations[POOL_ANNOTATION] ?? null,
          requested: "unreadable" in requested ? [] : requested,
          owners: addresses.map((address) => this.#ownerOf(address)),
          pending: allocation.pendingReason(key),
        };
      });
  }

  pools(): PoolView[] {
    return poolViews(this.#sources.cluster, this.#withheld());
  }

  nodes(): NodeView[] {
    const { node: own, cluster, ownership, responder, clock } = this.#sources;
    const now = clock.boot();
    const members = new Map(ownership.machine.views.members(now).map((m) => [m.node, m.status]));
    const owners = ownership.machine.views.records().map((record) => record.owner);
    const { peers } = responder.report();
    const states = new Map(daemonStates(peers));
    const jitters = jittersOf(peers);
    states.set(own, this.#sources.drain.cause === null ? "live" : "draining");
    const names = [...new Set([own, ...cluster.nodes.keys(), ...members.keys()])].sort();
    return names.map((node) => {
      const object = cluster.nodes.get(node);
      const excluded =
        object === undefined
          ? "the API knows no Node of this name"
          : (cluster.exclusion(object) ?? healthProblem(object));
      const member = node === own ? "alive" : (members.get(node) ?? "never-seen");
      const owned = owners.filter((owner) => owner === node).length;
      const jitterMs = jitters.get(node) ?? null;
      return { node, member, daemon: states.get(node) ?? null, jitterMs, owned, excluded };
    });
  }

  history(filter: HistoryFilter): HistoryView[] {
    return this.#sources.store.history(filter).map(historyView);
  }

  bgpPeers() {
    return this.#sources.bgp.peerViews();
  }

  bgpRoutes() {
    return this.#sources.bgp.routeViews();
  }

  /** Its daemon can be expected to take over what this one gives up. */
  isThere(name: string): boolean {
    const { ownership, responder, clock } = this.#sources;
    const members = ownership.machine.views.members(clock.boot());
    const isAlive = members.some(({ node, status }) => node === name && status === "alive");
    const state = new Map(daemonStates(responder.report().peers)).get(name) ?? "live";
    // Its beacons need not come as far as routes do.
    return isAlive && ["live", "filtered"].includes(state);
  }

  drain(): DrainView {
    const { node, drain, ownership, clock } = this.#sources;
    const now = clock.boot();
    const { cause, force } = drain;
    const owned = cause === null ? [] : ownership.machine.owned();
    const remaining = owned.map((address) => {
      const view = ownership.machine.views.view(address, now);
      return { address, reason: view === null ? "" : whyStuck(view, node) };
    });
    const routes = cause === null ? [] : this.#sources.bgp.remaining();
    return { node, draining: cause !== null, cause, force, remaining: [...remaining, ...routes] };
  }

  who(address: string) {
    return this.#sources.wireAsks.who(address);
  }

  planRebalance(): MoveView[] {
    const { cluster, ownership, clock } = this.#sources;
    const now = clock.boot();
    return cluster.addresses().flatMap((address) => {
      const view = ownership.machine.views.view(address, now);
      return (view === null ? null : plannedMove(view, this.#here)) ?? [];
    });
  }

  planConfig(request: PlanRequest) {
    return this.#sources.planner.plan(request);
  }

  planShadow(): CommandResult<ShadowView> {
    const { shadow } = this.#sources;
    if (shadow != null) return shadow.view();
    const message = 'Cannot compare: this daemon is active; "mode: shadow" is for the node file';
    return { ok: false, kind: "refused", message };
  }

  async frames(): Promise<FramesView | null> {
    const { responder, clock } = this.#sources;
    const log = await responder.frames();
    return log === null ? null : framesView(log, clock);
  }

  explain(subject: string) {
    const { node, cluster, ownership, responder, allocation, clock } = this.#sources;
    const now = clock.boot();
    const leader = this.#sources.leader();
    const { notAllocating, muted } = this.#leftToOthers();
    return explain(subject, {
      node,
      cluster,
      vip: (address) => ownership.machine.views.view(address, now),
      answers: (address) => responder.answersFor(address),
      pending: (service) => allocation.pendingReason(service),
      isLeader: leader.isThisNode,
      leader: leader.node,
      notAllocating,
      muted,
      reserved: this.#sources.reserved().all,
      note: (address) => this.#sources.probes.note(address),
      bgp: () => this.#sources.bgp.state,
      now,
    });
  }

  /** A daemon in shadow mode does not even look who else is at work. */
  #leftToOthers(): { notAllocating: string | null; muted: string | null } {
    const { rivals, shadow } = this.#sources;
    if (shadow == null) return { notAllocating: rivals.whyNotAllocating, muted: rivals.whyMuted };
    return {
      notAllocating: "this daemon runs in shadow mode, and gives no addresses",
      muted: "this daemon runs in shadow mode, and answers for nothing",
    };
  }

  get #here(): Here {
    const { node, drain } = this.#sources;
    return { node, isDrained: drain.cause !== null };
  }

  /** It has no owner, and could have one: a Service without endpoints needs none. */
  #isUnserved(address: Ip, routes: Routes): boolean {
    // In shadow mode others have owners, of whom nothing is known here.
    if (this.#sources.shadow != null) return false;
    if (routedBy(address, this.#sources.cluster, routes).length > 0) return false;
    const view = this.#sources.ownership.machine.views.state(address);
    if (view === null) return true;
    const canBeServed = view.serving === "everywhere" || view.serving.size > 0;
    return canBeServed && (view.record?.owner ?? null) === null;
  }

  /** Free addresses that are not handed out, each with the reason. */
  #withheld(): Map<Ip, string> {
    const { reserved, probes } = this.#sources;
    return new Map([...probes.quarantined(), ...reserved().all]);
  }

  #ownerOf(address: Ip): string | null {
    return this.#sources.ownership.machine.views.state(address)?.record?.owner ?? null;
  }

  /** An address without an owner is a problem once nobody can take it. */
  #orphan(address: Ip, routes: Routes): { address: string; reason: string }[] {
    const { ownership, clock, cluster } = this.#sources;
    if (routedBy(address, cluster, routes).length > 0) return [];
    const view = ownership.machine.views.view(address, clock.boot());
    const reason = whyOrphan(view, this.#here);
    return reason === null ? [] : [{ address, reason }];
  }

  #poolConflicts(): { pool: string; text: string }[] {
    const { cluster } = this.#sources;
    return [...this.#sources.reserved().ofHosts].flatMap(([address, use]) => {
      const pool = cluster.poolOf(address);
      return pool === null ? [] : [{ pool: pool.name, text: `${address} is ${use}` }];
    });
  }
}

function settingText(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString("utf8");
}
