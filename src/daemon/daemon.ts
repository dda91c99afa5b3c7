// Puts the parts together and runs them. The one place that sees everything; it decides nothing
// that a part could decide.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ApiServer } from "../api/server.ts";
import type { NodeFile } from "../config/node-file.ts";
import type { AppError } from "../core/errors.ts";
import type { BootMs } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import type { ApiClient } from "../k8s-sync/client.ts";
import { decodeService } from "../k8s-sync/decode.ts";
import { EventRecorder } from "../k8s-sync/events.ts";
import { LeaseClient } from "../k8s-sync/leases.ts";
import { listAll } from "../k8s-sync/lister.ts";
import type { Service } from "../k8s-sync/model.ts";
import { patchServiceStatus } from "../k8s-sync/service-status.ts";
import type { HostInterface } from "../link/host-interface.ts";
import { LinkWatcher } from "../link/link-watcher.ts";
import { Leadership } from "../ownership/leadership.ts";
import { timingsFor } from "../ownership/timings.ts";
import { Store } from "../store/store.ts";
import { AllocationController } from "./allocation-controller.ts";
import { Beacons, nextIncarnation } from "./beacons.ts";
import { type ClusterChange, ClusterView } from "./cluster-view.ts";
import { createClient } from "./create-client.ts";
import { type HostLinks, hostLinks } from "./host-links.ts";
import { Journal } from "./journal.ts";
import { LeaderDriver } from "./leader-driver.ts";
import { LeaseRouter } from "./lease-router.ts";
import { LeaseWriter } from "./lease-writer.ts";
import type { Logger } from "./logger.ts";
import { MissingInterfaces } from "./missing-interfaces.ts";
import { OwnershipDriver } from "./ownership-driver.ts";
import { vipLeaseName } from "./records.ts";
import { Reflectors, SERVICES } from "./reflectors.ts";
import { type ReservedAddresses, reservedAddresses } from "./reserved-addresses.ts";
import { Responder } from "./responder.ts";
import { ServiceEvents } from "./service-events.ts";
import { currentAddresses, POOL_ANNOTATION } from "./service-request.ts";
import { systemClock as clock, systemRandom as random } from "./system-clock.ts";
import { SystemdTask } from "./systemd-task.ts";
import { allReady, runTasks, type Task } from "./tasks.ts";
import { UnsupportedEvents } from "./unsupported.ts";
import { Views } from "./views.ts";
import { VipLeaseCollector } from "./vip-lease-collector.ts";

/** What SIGTERM may take: releasing the VIPs, and the leadership. */
const STOP_TIMEOUT_MS = 5_000;
const RELIST_RETRY_MS = 1_000;

export class Daemon {
  readonly #file: NodeFile;
  readonly #log: Logger;
  readonly #startedAt: BootMs = clock.boot();
  readonly #identity: string;
  readonly #store: Store;
  readonly #client: ApiClient;
  readonly #leases: LeaseClient;
  readonly #writer: LeaseWriter;
  readonly #events: EventRecorder;
  readonly #serviceEvents: ServiceEvents;
  readonly #cluster: ClusterView;
  readonly #responder: Responder;
  readonly #ownership: OwnershipDriver;
  readonly #leadership: Leadership;
  readonly #leader: LeaderDriver;
  readonly #allocation: AllocationController;
  readonly #beacons: Beacons;
  readonly #reflectors: Reflectors;
  readonly #links: LinkWatcher;
  readonly #journal: Journal;
  readonly #missing: MissingInterfaces;
  readonly #unsupported: UnsupportedEvents;
  readonly #views: Views;
  #interfaces: readonly HostInterface[] = [];
  #hostLinks: HostLinks | null = null;
  #linkFailure: AppError | null = null;
  #socketNotice: string | null = null;
  #reserved: ReservedAddresses = { all: new Map(), ofHosts: new Map() };

  /** Opens the store and reads the kubeconfig; throws AppError. Nothing runs yet. */
  constructor(file: NodeFile, log: Logger) {
    const node = file.nodeName;
    this.#file = file;
    this.#log = log;
    this.#identity = `${node}_${randomBytes(6).toString("hex")}`;
    this.#store = Store.open(file.stateFile, clock.wall());
    this.#client = createClient(file);
    this.#leases = new LeaseClient(this.#client, file.systemNamespace);
    this.#writer = new LeaseWriter({ leases: this.#leases, clock });
    this.#events = new EventRecorder({
      client: this.#client,
      clock,
      random,
      component: "lbd",
      instance: node,
    });
    const record = this.#events.record.bind(this.#events);
    this.#serviceEvents = new ServiceEvents({ node, record });
    this.#cluster = new ClusterView({
      onChange: (change) => this.#onCluster(change),
      defer: (run) => void setImmediate(run),
    });
    this.#journal = new Journal({
      node,
      clock,
      store: this.#store,
      log,
      cluster: this.#cluster,
      events: this.#serviceEvents,
    });
    this.#responder = new Responder({
      start: {
        node,
        incarnation: nextIncarnation(this.#store, clock),
        settings: file.beacons,
        port: file.beacons.port,
      },
      onPeer: (news) => this.#beacons.onPeer(news),
      onHeard: ({ address, interface: name, mac }) =>
        this.#ownership.post({ type: "heard", address, interface: name, mac }),
      onReady: (realtime) => log.info({ event: "responder-ready", realtime }, "responder ready"),
    });
    this.#ownership = this.#createOwnership();
    this.#allocation = new AllocationController({
      services: () => this.#cluster.services,
      patch: (service, change) => this.#patch(service, change),
      events: this.#serviceEvents,
      isLeader: () => this.#leader.isLeading,
      later: (milliseconds, run) => void setTimeout(run, milliseconds),
    });
    this.#leadership = new Leadership(this.#identity);
    this.#leader = new LeaderDriver({
      leadership: this.#leadership,
      clock,
      writer: this.#writer,
      onLeading: (isLeading) => this.#onLeading(isLeading),
    });
    this.#beacons = this.#createBeacons();
    this.#reflectors = this.#createReflectors();
    this.#links = new LinkWatcher({
      onChange: (interfaces) => this.#onInterfaces(interfaces),
      onError: (error) => this.#onLinkError(error),
    });
    this.#missing = new MissingInterfaces(this.#serviceEvents);
    this.#unsupported = new UnsupportedEvents(this.#serviceEvents);
    this.#views = this.#createViews();
  }

  /** Runs until `stop` aborts and everything is released; throws when a part fails. */
  async run(stop: AbortSignal): Promise<void> {
    const { socket, socketGroup } = this.#file;
    const server = new ApiServer({
      path: socket,
      group: socketGroup,
      source: this.#views,
      onError: (error) => this.#log.error({ event: "api-handler", err: error }, "handler failed"),
    });
    await server.listen();
    this.#socketNotice = server.notice;
    if (server.notice !== null) this.#log.warn({ event: "api-socket" }, server.notice);
    const systemd = new SystemdTask({
      status: () => this.#views.summary(),
      progress: () => [this.#responder.progress, this.#ownership.progress],
    });
    const tasks: Task[] = [
      this.#responder,
      { name: "links", ready: this.#links.ready, run: (signal) => this.#links.run(signal) },
      this.#ownership,
      this.#reflectors,
      this.#leader,
      this.#beacons,
      { name: "events", run: (signal) => this.#events.run(signal) },
      this.#collector(),
      systemd,
    ];
    const end = new AbortController();
    stop.addEventListener("abort", () => void this.#release().finally(() => end.abort()));
    void allReady(tasks).then(() => {
      this.#log.info({ event: "ready", version: VERSION }, "ready");
      systemd.tellReady();
    });
    try {
      await runTasks(tasks, end.signal);
    } finally {
      await server.close();
      await this.#client.close();
      this.#store.close();
    }
  }

  async #release(): Promise<void> {
    this.#log.info({ event: "stopping" }, "stopping: releasing the VIPs");
    const leaderStop = this.#leader.stop();
    await this.#ownership.stop(STOP_TIMEOUT_MS);
    await Promise.race([leaderStop, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }

  #onCluster({ services, config, nodes }: ClusterChange): void {
    const { changed, freed } = this.#cluster.takeVips();
    if (changed.length + freed.length > 0) this.#ownership.post({ type: "vips", changed, freed });
    this.#saveServices(services);
    if (config) this.#onConfig();
    if (config || nodes) this.#reconfigureAllocation();
    else for (const key of services) this.#allocation.reconcile(key);
    this.#checkInterfaces();
    this.#unsupported.check(this.#cluster.services, { isLeader: this.#leader.isLeading });
  }

  #onConfig(): void {
    const { config, configProblems, pools, advertisements } = this.#cluster;
    const problems = configProblems.length;
    this.#log.info({ event: "config", pools: config.pools.length, problems }, "configuration read");
    const ranges = config.pools.flatMap((pool) => pool.ranges);
    this.#responder.tell({ type: "ranges", ranges });
    this.#store.saveSnapshot("pool", pools);
    this.#store.saveSnapshot("advertisement", advertisements);
  }

  #reconfigureAllocation(): void {
    const { server } = this.#client;
    this.#reserved = reservedAddresses({
      nodes: this.#cluster.nodes.values(),
      interfaces: this.#interfaces,
      apiHost: new URL(server).hostname,
    });
    this.#allocation.configure(this.#cluster.config, this.#reserved.all);
    if (this.#leader.isLeading) this.#allocation.lead();
  }

  #saveServices(keys: ReadonlySet<string>): void {
    const changes = [...keys].map((key) => {
      const service = this.#cluster.services.get(key);
      const pool = service?.metadata.annotations[POOL_ANNOTATION] ?? "";
      const addresses = service === undefined ? [] : currentAddresses(service);
      const allocations = addresses.map((address) => ({ address, pool }));
      return { key, object: service ?? null, allocations };
    });
    if (changes.length > 0) this.#store.saveServices(changes);
  }

  #onInterfaces(interfaces: readonly HostInterface[]): void {
    this.#linkFailure = null;
    // Most notifications change nothing here: no write of the node Lease for them.
    if (isDeepStrictEqual(interfaces, this.#interfaces)) return;
    this.#interfaces = interfaces;
    const links = hostLinks(interfaces, this.#file.excludeInterfaces);
    if (!isDeepStrictEqual(links, this.#hostLinks)) this.#onHostLinks(links);
    if (this.#cluster.isSynced) this.#reconfigureAllocation();
    this.#checkInterfaces();
  }

  #onHostLinks(links: HostLinks): void {
    this.#hostLinks = links;
    const names = links.answering.map((link) => link.name);
    this.#log.info({ event: "links", names }, "interfaces with carrier");
    this.#responder.tell({ type: "interfaces", interfaces: links.answering });
    this.#ownership.post({ type: "segments", segments: links.segments });
  }

  #onLinkError(error: AppError): void {
    this.#linkFailure = error;
    this.#log.error({ event: "link-failure", code: error.code }, error.message);
  }

  #checkInterfaces(): void {
    if (!this.#cluster.isSynced) return;
    this.#missing.check({
      node: this.#file.nodeName,
      cluster: this.#cluster,
      present: new Set(this.#interfaces.map((entry) => entry.name)),
    });
  }

  #onLeading(isLeading: boolean): void {
    this.#log.info({ event: "leadership", isLeading }, isLeading ? "leading" : "not leading");
    if (isLeading) void this.#startLeading();
    else this.#allocation.follow();
  }

  /** What a former leader wrote last may not have come through the watch yet: read it first. */
  async #startLeading(): Promise<void> {
    while (this.#leader.isLeading) {
      const list = await listAll(this.#client, SERVICES, { decode: decodeService });
      if (list.ok) {
        this.#cluster.serviceSink().replace(list.value.items);
        if (this.#cluster.isSynced) setImmediate(() => this.#reconfigureAllocation());
        return;
      }
      await sleep(RELIST_RETRY_MS);
    }
  }

  #patch(service: Service, change: Parameters<typeof patchServiceStatus>[2]) {
    const { namespace, name, resourceVersion } = service.metadata;
    return patchServiceStatus(this.#client, { namespace, name, resourceVersion }, change);
  }

  #collector(): Task {
    return new VipLeaseCollector({
      clock,
      mayCollect: () => this.#leader.isLeading && this.#cluster.isSynced,
      records: () => this.#ownership.machine.records(),
      isInUse: (address) => this.#cluster.servicesOf(address).length > 0,
      remove: async ({ address, resourceVersion }) => {
        await this.#leases.delete(vipLeaseName(address), { resourceVersion });
      },
    });
  }

  #createBeacons(): Beacons {
    return new Beacons({
      client: this.#client,
      namespace: this.#file.systemNamespace,
      store: this.#store,
      clock,
      random,
      log: this.#log,
      isLeader: () => this.#leader.isLeading,
      tellResponder: (message) => this.#responder.tell(message),
      tellOwnership: (event) => this.#ownership.post(event),
    });
  }

  #createOwnership(): OwnershipDriver {
    return new OwnershipDriver({
      node: this.#file.nodeName,
      identity: this.#identity,
      timings: timingsFor(this.#file.beacons),
      clock,
      leases: this.#leases,
      writer: this.#writer,
      tellResponder: (message) => this.#responder.tell(message),
      onChange: (change) => this.#journal.ownChange(change),
      onConflict: (conflict) => this.#journal.conflict(conflict),
    });
  }

  #createReflectors(): Reflectors {
    const leaseSink = new LeaseRouter({
      leader: (record) => this.#leader.observe(record),
      ownership: (event) => this.#ownership.post(event),
      journal: this.#journal,
      known: () => this.#ownership.machine.records(),
    });
    return new Reflectors({
      client: this.#client,
      clock,
      random,
      namespace: this.#file.namespace,
      leasesPath: this.#leases.path,
      cluster: this.#cluster,
      leaseSink,
      onFailure: (resource, { kind, message }) =>
        this.#log.warn({ event: "api-failure", resource, kind }, message),
    });
  }

  #createViews(): Views {
    return new Views({
      node: this.#file.nodeName,
      clock,
      startedAt: this.#startedAt,
      server: this.#client.server,
      cluster: this.#cluster,
      ownership: this.#ownership,
      allocation: this.#allocation,
      responder: this.#responder,
      store: this.#store,
      leader: () => ({
        node: this.#leadership.holder?.replace(/_[0-9a-f]*$/, "") ?? null,
        isThisNode: this.#leader.isLeading,
      }),
      api: () => this.#apiHealth(),
      host: () => ({
        missingInterfaces: this.#missing.names(),
        linkFailure: this.#linkFailure?.message ?? null,
        socketNotice: this.#socketNotice,
        beaconProblem: this.#beacons.problem(),
        services: this.#cluster.services.values(),
      }),
      reserved: () => this.#reserved,
      counters: () => ({
        ...this.#responder.report().counters,
        "events-written": this.#events.counts().written,
        "events-dropped": this.#events.counts().dropped,
      }),
    });
  }

  #apiHealth() {
    const failures = this.#reflectors.failures();
    const isReachable = failures.size < this.#reflectors.count;
    const leaseFailure = this.#writer.failure();
    const lastContactAt = this.#reflectors.lastContactAt();
    return { failures, leaseFailure, isReachable, lastContactAt };
  }
}
