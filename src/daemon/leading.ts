// What one daemon of the cluster does for all: the leadership, and what the leader alone does. It
// gives Services addresses that nobody else on the segment uses, unless another allocator is at
// work, and removes the Leases of addresses that are free.

import { setTimeout as sleep } from "node:timers/promises";
import type { NodeFile } from "../config/node-file.ts";
import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { Clock } from "../core/time.ts";
import type { ApiClient } from "../k8s-sync/client.ts";
import type { LeaseClient } from "../k8s-sync/leases.ts";
import { StatusObjectClient } from "../k8s-sync/status-objects.ts";
import type { HostInterface } from "../link/host-interface.ts";
import { readNeighbours } from "../link/neighbour-table.ts";
import { Leadership } from "../ownership/leadership.ts";
import type { Ownership } from "../ownership/machine.ts";
import type { MemberStatus } from "../ownership/members.ts";
import type { OwnershipEvent, Segment } from "../ownership/types.ts";
import type { Store } from "../store/store.ts";
import { AddressProbeTask } from "./address-probe-task.ts";
import { AllocationController } from "./allocation-controller.ts";
import type { ClusterView } from "./cluster-view.ts";
import { ConfigPlanner } from "./config-planner.ts";
import { fence } from "./fence.ts";
import { FormerAddresses } from "./former-addresses.ts";
import { LeaderDriver } from "./leader-driver.ts";
import { LeaderWork } from "./leader-work.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import type { Logger } from "./logger.ts";
import type { Namespaces } from "./namespaces.ts";
import { whyOrphan } from "./orphans.ts";
import { PoolStatusTask } from "./pool-status.ts";
import { isNodeMac, probeInterfaces } from "./probe-places.ts";
import { vipLeaseName } from "./records.ts";
import type { ToResponder } from "./responder-messages.ts";
import { Rivals } from "./rivals.ts";
import { followedIn, routedBy } from "./routed-by.ts";
import type { ServiceEvents } from "./service-events.ts";
import { currentAddresses } from "./service-request.ts";
import { Shadow } from "./shadow.ts";
import { StaleL2Statuses } from "./stale-l2-statuses.ts";
import { StatusWriter } from "./status-writer.ts";
import type { Task } from "./tasks.ts";
import { UnownedEvents } from "./unowned-events.ts";
import { VipLeaseCollector } from "./vip-lease-collector.ts";
import type { WithheldKnowledge } from "./withheld-knowledge.ts";

export interface LeadingOptions {
  readonly file: NodeFile;
  /** Of this process, in the Lease. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly store: Pick<Store, "freed">;
  readonly client: ApiClient;
  readonly leases: LeaseClient;
  readonly writer: LeaseWriter;
  readonly cluster: ClusterView;
  readonly namespaces: Namespaces;
  readonly events: ServiceEvents;
  /** False: another host has this node's name, and the Lease is not this one's to hold. */
  readonly mayLead: () => boolean;
  readonly interfaces: () => readonly HostInterface[];
  /** Those on which VIPs may be answered now. */
  readonly segments: () => readonly Segment[];
  readonly tellResponder: (message: ToResponder) => void;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  /** Resolves when the Services were listed since. */
  readonly relistServices: () => Promise<void>;
  readonly machine: () => Pick<Ownership, "views">;
  readonly isDrained: () => boolean;
}

/** What could not be written is tried again after this. */
const FENCE_RETRY_MS = 1_000;

export class Leading {
  readonly leader: LeaderDriver;
  readonly allocation: AllocationController;
  readonly work: LeaderWork;
  readonly probes: AddressProbeTask;
  /** Any node may plan: it takes the Services' statuses alone. */
  readonly planner: ConfigPlanner;
  /** Any node may have a speaker of MetalLB beside it. */
  readonly rivals: Rivals;
  /** Null: this daemon is active. Else nothing else of this runs. */
  readonly shadow: Shadow | null;
  readonly tasks: readonly Task[];
  #isAllocating = false;

  constructor(options: LeadingOptions) {
    const { client, cluster, clock, file } = options;
    this.probes = this.#createProbes(options);
    this.rivals = new Rivals({ ...options, onChange: () => this.#reconsider() });
    const former = this.#createFormer(options);
    this.planner = new ConfigPlanner({
      ...options,
      places: file,
      reserved: () => this.work.reserved.all,
      withheld: () => this.#withheld(former, options),
    });
    const isActive = file.mode === "active";
    this.shadow = isActive ? null : new Shadow({ ...options, planner: this.planner });
    const statuses = new StatusWriter({ client, isLeading: () => this.#mayAllocate });
    this.allocation = new AllocationController({
      services: () => cluster.services,
      patch: async (service, change) => {
        this.rivals.aboutToWrite(service);
        const outcome = await statuses.patch(service, change);
        if (outcome.ok) this.rivals.written(outcome.value);
        return outcome;
      },
      events: options.events,
      loadBalancerClass: file.loadBalancerClass,
      isLeader: () => this.#mayAllocate,
      later: (milliseconds, run) => void setTimeout(run, milliseconds),
      wire: this.probes,
      former,
    });
    this.leader = new LeaderDriver({
      leadership: new Leadership(options.identity),
      clock,
      writer: options.writer,
      mayLead: options.mayLead,
      onLeading: () => this.#reconsider(),
    });
    this.work = new LeaderWork({
      server: () => client.server,
      cluster,
      namespaces: options.namespaces,
      allocation: this.allocation,
      interfaces: options.interfaces,
      relistServices: options.relistServices,
      fence: () => this.#fence(options, statuses),
      isLeading: () => this.#mayAllocate,
      log: options.log,
    });
    this.tasks = [
      this.leader,
      this.#collector(options),
      this.#poolStatus(options),
      this.#staleStatuses(options),
      this.#unownedEvents(options),
      this.probes,
      this.rivals,
    ];
  }

  /** The leadership has come or gone, or somebody else who gives addresses to Services has. */
  #reconsider(): void {
    if (this.#mayAllocate === this.#isAllocating) return;
    this.#isAllocating = !this.#isAllocating;
    this.work.onLeading(this.#isAllocating);
    if (!this.#isAllocating) this.probes.clear();
  }

  get #mayAllocate(): boolean {
    return this.leader.isLeading && this.rivals.mayAllocate;
  }

  async #fence({ cluster }: LeadingOptions, statuses: StatusWriter) {
    if (!this.leader.isAfterLapse) return "not-needed";
    await fence({
      services: () => [...cluster.services.values()].filter((one) => cluster.isOurs(one)),
      patch: (service, change) => statuses.patch(service, change),
      mayGoOn: () => this.#mayAllocate,
      pause: () => sleep(FENCE_RETRY_MS),
    });
    return "written";
  }

  #withheld(former: FormerAddresses, { cluster }: LeadingOptions): WithheldKnowledge {
    const hasAddress = (key: string): boolean => {
      const service = cluster.services.get(key);
      return service !== undefined && currentAddresses(service).length > 0;
    };
    const known = this.allocation.withheld();
    return {
      quarantined: known?.quarantined ?? new Map(),
      resting: known?.resting ?? former.resting(hasAddress),
      freed: former.settings,
      whyDeaf: known === null ? this.#whyDeaf : null,
      isKnownFree: (address) => this.probes.isKnownFree(address),
    };
  }

  get #whyDeaf(): string {
    if (this.shadow !== null) return "this daemon runs in shadow mode";
    const { node, isThisNode } = this.leader.status;
    if (isThisNode) return this.rivals.whyNotAllocating ?? "this node has just begun to lead";
    return node === null ? "no node leads now" : `the leader does, node ${node}: ask there`;
  }

  #createFormer({ file: { allocation }, clock, store }: LeadingOptions): FormerAddresses {
    return new FormerAddresses({
      clock,
      settings: {
        coolDownMs: allocation.coolDownSeconds * 1_000,
        reservationMs: allocation.reservationHours * 3_600_000,
      },
      remembered: () => store.freed(),
      later: (milliseconds, run) => void setTimeout(run, milliseconds).unref(),
    });
  }

  #createProbes(options: LeadingOptions): AddressProbeTask {
    const { file, clock, log, cluster, interfaces, segments, machine, tellResponder } = options;
    const node = file.nodeName;
    const isNode = (mac: Mac): boolean =>
      machine().views.nodeOf(mac, clock.boot()) !== null ||
      isNodeMac(mac, interfaces(), { nodes: cluster.nodes, readNeighbours });
    return new AddressProbeTask({
      clock,
      log,
      upcoming: () => this.allocation.upcoming(),
      interfacesOf: (address) => probeInterfaces(address, { node, cluster, segments: segments() }),
      isNode,
      tellResponder,
      onUse: (change) => this.allocation.probed(change),
    });
  }

  #poolStatus({ client, file, clock, cluster, log }: LeadingOptions): Task {
    const { namespace } = file;
    const objects = new StatusObjectClient(client, { namespace, resource: "ipaddresspools" });
    return new PoolStatusTask({
      clock,
      usage: () => (this.leader.isLeading ? this.allocation.usage() : null),
      pools: () => cluster.configObjects.pool.values(),
      write: (pool, status) => objects.patchStatus(pool, status),
      onFailure: ({ kind, message }) => log.warn({ event: "pool-status", kind }, message),
    });
  }

  #unownedEvents({ file, clock, cluster, machine, events, isDrained }: LeadingOptions): Task {
    return new UnownedEvents({
      mayTell: () => this.leader.isLeading && cluster.isSynced && file.mode === "active",
      // Those whose owner renews its Lease are not looked at closer: a cluster has thousands.
      addresses: () => {
        const { views } = machine();
        const members = views.members(clock.boot()).filter(({ status }) => status === "alive");
        const alive = new Set([file.nodeName, ...members.map(({ node }) => node)]);
        const ownerOf = (address: Ip) => views.state(address)?.record?.owner ?? null;
        const routes = followedIn(cluster);
        return cluster
          .addresses()
          .filter((address) => !alive.has(ownerOf(address) ?? ""))
          .filter((address) => routedBy(address, cluster, routes).length === 0);
      },
      why: (address) => {
        const here = { node: file.nodeName, isDrained: isDrained() };
        return whyOrphan(machine().views.view(address, clock.boot()), here);
      },
      tell: (address, reason) => {
        for (const key of cluster.servicesOf(address)) {
          const service = cluster.services.get(key);
          if (service !== undefined) events.nobodyMayAnswer(service, address, reason);
        }
      },
    });
  }

  #staleStatuses({ client, file, clock, cluster, machine }: LeadingOptions): Task {
    const { namespace } = file;
    const objects = new StatusObjectClient(client, { namespace, resource: "servicel2statuses" });
    const addressesOf = (key: string): Ip[] => {
      const service = cluster.services.get(key);
      return service === undefined ? [] : currentAddresses(service);
    };
    return new StaleL2Statuses({
      clock,
      mayCollect: () => this.leader.isLeading && cluster.isSynced,
      nodes: () => cluster.nodes.keys(),
      down: () =>
        machine()
          .views.members(clock.boot())
          .flatMap(({ node, status }) => (isDown(status) ? [node] : [])),
      owners: () => {
        const owners = new Map(
          machine()
            .views.records()
            .map(({ address, owner }) => [address, owner]),
        );
        const ownerOf = (address: Ip): string | null => owners.get(address) ?? null;
        return { isNode: (node) => cluster.nodes.has(node), addressesOf, ownerOf };
      },
      list: (selector) => objects.list(selector),
      remove: ({ metadata: { name, uid } }) => objects.delete(name, uid),
    });
  }

  #collector({ clock, cluster, leases, machine }: LeadingOptions): Task {
    return new VipLeaseCollector({
      clock,
      mayCollect: () => this.leader.isLeading && cluster.isSynced,
      records: () => machine().views.records(),
      isInUse: (address) => cluster.servicesOf(address).length > 0,
      remove: ({ address, resourceVersion }) =>
        leases.delete(vipLeaseName(address), { resourceVersion }),
    });
  }
}

/** Its Lease has run out, or it has let go of it. */
function isDown(status: MemberStatus): boolean {
  return status === "down" || status === "stopped";
}
