// Puts the parts together and runs them. The one place that sees everything; it decides nothing
// that a part could decide.

import { randomBytes } from "node:crypto";
import type { NodeFile } from "../config/node-file.ts";
import type { BootMs } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { type EventInput, EventRecorder } from "../k8s-sync/events.ts";
import { LeaseClient } from "../k8s-sync/leases.ts";
import { LinkWatcher } from "../link/link-watcher.ts";
import { timingsFor } from "../ownership/timings.ts";
import type { OwnershipEvent } from "../ownership/types.ts";
import { Store } from "../store/store.ts";
import { apiHealth } from "./api-health.ts";
import { listen } from "./api-socket.ts";
import { Beacons, nextIncarnation } from "./beacons.ts";
import { Bgp, whyMuted } from "./bgp.ts";
import { ClusterView } from "./cluster-view.ts";
import { DaemonCommands } from "./commands.ts";
import { countersOf } from "./counters.ts";
import { Credentials } from "./credentials.ts";
import { DaemonClient } from "./daemon-client.ts";
import { Drain } from "./drain.ts";
import { Happenings } from "./happenings.ts";
import { HostInterfaces } from "./host-interfaces.ts";
import { Journal } from "./journal.ts";
import { kubeconfigOf } from "./kubeconfig-of.ts";
import { Leading } from "./leading.ts";
import { LeaseRouter } from "./lease-router.ts";
import { LeaseWriter } from "./lease-writer.ts";
import type { Logger } from "./logger.ts";
import { MetricsTask } from "./metrics-task.ts";
import { MissingInterfaces } from "./missing-interfaces.ts";
import { Namesake } from "./namesake.ts";
import { Namespaces } from "./namespaces.ts";
import { OwnershipDriver } from "./ownership-driver.ts";
import { Reactions } from "./reactions.ts";
import { Reflectors } from "./reflectors.ts";
import { type Held, release } from "./release.ts";
import { Responder } from "./responder.ts";
import type { ToResponder } from "./responder-messages.ts";
import { ServiceEvents } from "./service-events.ts";
import type { Shadow } from "./shadow.ts";
import { Snapshots } from "./snapshots.ts";
import { StatusObjects } from "./status-objects.ts";
import { systemClock as clock, systemRandom as random } from "./system-clock.ts";
import { SystemdTask } from "./systemd-task.ts";
import { runUntilReleased, type Task } from "./tasks.ts";
import { Views } from "./views.ts";
import { WireAsks } from "./wire-asks.ts";
import { WireTruthTask } from "./wire-truth-task.ts";

export class Daemon {
  readonly #file: NodeFile;
  readonly #log: Logger;
  readonly #startedAt: BootMs = clock.boot();
  readonly #identity: string;
  readonly #store: Store;
  readonly #client: DaemonClient;
  readonly #credentials: Credentials;
  readonly #leases: LeaseClient;
  readonly #writer: LeaseWriter;
  readonly #events: EventRecorder;
  readonly #serviceEvents: ServiceEvents;
  readonly #cluster: ClusterView;
  readonly #responder: Responder;
  readonly #ownership: OwnershipDriver;
  readonly #leading: Leading;
  readonly #beacons: Beacons;
  readonly #reflectors: Reflectors;
  readonly #host: HostInterfaces;
  readonly #links: LinkWatcher;
  readonly #journal: Journal;
  readonly #snapshots: Snapshots;
  readonly #drain: Drain;
  readonly #statuses: StatusObjects;
  readonly #bgp: Bgp;
  readonly #wireTruth: WireTruthTask;
  readonly #namesake = new Namesake(clock);
  readonly #namespaces = new Namespaces(() => this.#reactions.onNamespaces());
  readonly #missing: MissingInterfaces;
  readonly #reactions: Reactions;
  readonly #wireAsks: WireAsks;
  readonly #views: Views;
  readonly #happenings = new Happenings(() => this.#views.healthNow());
  readonly #metrics: MetricsTask;
  #socketNotice: string | null = null;
  readonly #nodeUid = () => this.#cluster.nodes.get(this.#file.nodeName)?.metadata.uid ?? null;
  /** For whoever has something to say to the machine and to the thread. */
  readonly #tell = {
    tellOwnership: (event: OwnershipEvent) => this.#working.post(event),
    tellResponder: (message: ToResponder) => this.#responder.tell(message),
  };

  /** Opens the store and reads the kubeconfig; throws AppError. Nothing runs yet. */
  constructor(file: NodeFile, log: Logger) {
    const { nodeName: node, drainOnCordon } = file;
    this.#file = file;
    this.#log = log;
    this.#identity = `${node}_${randomBytes(6).toString("hex")}`;
    this.#store = Store.open(file.stateFile, clock.wall());
    const from = { store: this.#store, clock };
    this.#client = new DaemonClient({ ...from, isShadow: file.mode === "shadow" });
    this.#leases = new LeaseClient(this.#client, file.systemNamespace);
    const onReached = () => this.#reflectors.hurry();
    this.#writer = new LeaseWriter({ leases: this.#leases, clock, onReached });
    const about = { clock, random, component: "lbd", instance: node } as const;
    this.#events = new EventRecorder({ client: this.#client, ...about });
    const record = (e: EventInput) => this.#leading.rivals.allows(e) && this.#events.record(e);
    this.#serviceEvents = new ServiceEvents({ node, record });
    this.#cluster = new ClusterView({
      ...{ loadBalancerClass: file.loadBalancerClass, ignoreExcludeLabel: file.ignoreExcludeLabel },
      onChange: (change) => this.#reactions.onCluster(change),
      defer: (run) => void setImmediate(run),
      lastValid: () => this.#snapshots.load(),
    });
    this.#snapshots = new Snapshots(this.#store, this.#cluster, clock);
    const onChange = () => this.#bgp.kick();
    this.#drain = new Drain({ store: this.#store, log, drainOnCordon, onChange, ...this.#tell });
    this.#journal = new Journal({
      ...{ node, clock, store: this.#store, log, cluster: this.#cluster },
      ...{ events: this.#serviceEvents, views: () => this.#ownership.machine.views },
      onRow: (row) => this.#happenings.changed(row),
    });
    this.#responder = this.#createResponder();
    this.#ownership = this.#createOwnership();
    this.#wireTruth = this.#createWireTruth();
    this.#wireAsks = this.#createWireAsks();
    this.#leading = this.#createLeading();
    this.#beacons = this.#createBeacons();
    this.#reflectors = this.#createReflectors();
    this.#credentials = this.#createCredentials();
    this.#host = new HostInterfaces({
      patterns: { exclude: file.excludeInterfaces, promiscuous: file.promiscuousInterfaces },
      log,
      ...this.#tell,
      onChange: () => this.#reactions.onInterfaces(),
    });
    this.#links = new LinkWatcher({
      onChange: (interfaces) => this.#host.set(interfaces),
      onError: (error) => this.#host.failed(error),
    });
    this.#missing = new MissingInterfaces(this.#serviceEvents);
    this.#bgp = this.#createBgp();
    this.#statuses = new StatusObjects({
      ...{ node, namespace: file.namespace, client: this.#client, clock, random, log },
      cluster: this.#cluster,
      isLeader: () => this.#leading.leader.isLeading,
      isSilenced: () => this.#namesake.isSilencing,
      ...{ machine: () => this.#ownership.machine, bgp: this.#bgp },
      tenureChanges: () => this.#ownership.tenureChanges,
      record: (event) => this.#events.record(event),
    });
    this.#reactions = this.#createReactions();
    this.#views = this.#createViews();
    this.#metrics = this.#createMetrics();
  }

  /**
   * Runs until `stop` aborts and everything is released, or, when its reason is "restart", left to
   * the daemon that follows; throws when a part fails.
   */
  async run(stop: AbortSignal): Promise<void> {
    const answers = { source: this.#views, commands: this.#createCommands() };
    const server = await listen(this.#file, this.#log, answers);
    this.#socketNotice = server.notice;
    const systemd = new SystemdTask({
      ...{ clock, status: () => this.#views.summary() },
      progress: () => [this.#responder.progress, this.#working.progress],
    });
    const active: Task[] = [
      this.#ownership,
      ...this.#leading.tasks,
      ...[this.#beacons, this.#wireTruth, this.#statuses, this.#bgp],
      { name: "events", run: (signal) => this.#events.run(signal) },
    ];
    const tasks: Task[] = [
      this.#responder,
      { name: "links", ready: this.#links.ready, run: (signal) => this.#links.run(signal) },
      ...(this.#leading.shadow === null ? active : [this.#leading.shadow, this.#bgp]),
      this.#credentials,
      this.#reflectors,
      this.#metrics,
      systemd,
    ];
    await runUntilReleased({
      tasks,
      stop,
      release: () => release(stop.reason === "restart", this.#file, this.#held),
      onRunning: () => this.#drain.start(),
      onReady: () => {
        this.#log.info({ event: "ready", version: VERSION }, "ready");
        systemd.tellReady();
      },
    }).finally(async () => {
      await server.close();
      await this.#client.close();
      this.#store.close();
    });
  }

  get #working(): Shadow | OwnershipDriver {
    return this.#leading.shadow ?? this.#ownership;
  }

  /** What is to be handed over in the end. */
  get #held(): Held {
    const held = { log: this.#log, drain: this.#drain, leading: this.#leading };
    return { ...held, ownership: this.#ownership, bgp: this.#bgp };
  }

  #createBeacons(): Beacons {
    return new Beacons({
      ...{ client: this.#client, namespace: this.#file.systemNamespace },
      ...{ store: this.#store, clock, random, log: this.#log },
      isLeader: () => this.#leading.leader.isLeading,
      ...this.#tell,
      onComplaint: (complaint) => this.#wireTruth.onComplaint(complaint),
      namesake: this.#namesake,
    });
  }

  #createCredentials(): Credentials {
    const { nodeName: node, systemNamespace: namespace, kubeconfig } = this.#file;
    return new Credentials({
      ...{ node, namespace, kubeconfig, client: this.#client, clock, random, log: this.#log },
      load: () => kubeconfigOf(this.#file, clock.wall()),
      nodeUid: this.#nodeUid,
      onChanged: () => this.#reflectors.hurry(),
    });
  }

  #createReactions(): Reactions {
    return new Reactions({
      ...{ node: this.#file.nodeName, log: this.#log, cluster: this.#cluster },
      ...{ snapshots: this.#snapshots, drain: this.#drain },
      ...{ allocation: this.#leading.allocation, leaderWork: this.#leading.work },
      ...{ rivals: this.#leading.rivals, host: this.#host, missing: this.#missing },
      ...{ statuses: this.#statuses, bgp: this.#bgp },
      journal: this.#journal,
      ...this.#tell,
    });
  }

  #createBgp(): Bgp {
    return new Bgp({
      ...{ file: this.#file, clock, log: this.#log, client: this.#client, store: this.#store },
      ...{ cluster: this.#cluster, drain: this.#drain, events: this.#serviceEvents },
      muted: () => whyMuted(this.#leading, this.#namesake),
      isThere: (node) => this.#views.isThere(node),
      record: (event) => this.#events.record(event),
      onAnnounced: () => this.#statuses.kick(),
    });
  }

  #createWireAsks(): WireAsks {
    const machine = () => this.#ownership.machine;
    const parts = { clock, cluster: this.#cluster, machine, host: () => this.#host };
    return new WireAsks({ ...parts, node: this.#file.nodeName, ...this.#tell });
  }

  #createWireTruth(): WireTruthTask {
    return new WireTruthTask({
      clock,
      machine: () => this.#ownership.machine,
      ...this.#tell,
      onChanged: (finding) => this.#journal.wireChanged(finding),
    });
  }

  #createLeading(): Leading {
    return new Leading({
      ...{ file: this.#file, identity: this.#identity, clock, log: this.#log },
      ...{ store: this.#store, client: this.#client, leases: this.#leases, writer: this.#writer },
      cluster: this.#cluster,
      namespaces: this.#namespaces,
      events: this.#serviceEvents,
      mayLead: () => !this.#namesake.isSilencing,
      interfaces: () => this.#host.all,
      segments: () => this.#host.segments,
      ...this.#tell,
      relistServices: () => this.#reflectors.relistServices(),
      machine: () => this.#ownership.machine,
      isDrained: () => this.#drain.cause !== null,
    });
  }

  #createResponder(): Responder {
    return new Responder({
      start: {
        node: this.#file.nodeName,
        incarnation: nextIncarnation(this.#store, clock),
        settings: this.#file.beacons,
        port: this.#file.beacons.port,
      },
      onPeer: (news) => this.#beacons.onPeer(news),
      onAsked: (asked) => (this.#leading.shadow ?? this.#wireTruth).onAsked(asked),
      onSeen: (seen) => this.#wireAsks.onSeen(seen),
      onProbed: (probed) => this.#leading.probes.onProbed(probed),
      onSighted: (sighted) => this.#leading.probes.onSighted(sighted),
      onProblems: (problems) => this.#host.setBroken(problems),
      onHeard: ({ address, interface: name, mac }) =>
        this.#ownership.post({ type: "heard", address, interface: name, mac }),
      onReady: (realtime) =>
        this.#log.info({ event: "responder-ready", realtime }, "responder ready"),
    });
  }

  #createOwnership(): OwnershipDriver {
    return new OwnershipDriver({
      node: this.#file.nodeName,
      identity: this.#identity,
      answers: () => this.#leading.rivals.answers,
      nodeUid: this.#nodeUid,
      timings: timingsFor(this.#file.beacons),
      preempt: this.#file.preempt,
      clock,
      leases: this.#leases,
      writer: this.#writer,
      namesake: this.#namesake,
      tellResponder: (message) => this.#responder.tell(message),
      onChange: (change) => this.#journal.ownChange(change),
      atOnce: (work) => this.#store.atOnce(work),
      onConflict: (conflict) => this.#journal.conflict(conflict),
      onRead: (records) => this.#reactions.early.onRecords(records),
      onUnread: () => this.#snapshots.recall(this.#log, (event) => this.#ownership.post(event)),
    });
  }

  #createReflectors(): Reflectors {
    const leaseSink = new LeaseRouter({
      leader: (record) => this.#leading.leader.observe(record),
      ownership: this.#tell.tellOwnership,
      journal: this.#journal,
      known: () => this.#ownership.machine.views.records(),
    });
    return new Reflectors({
      client: this.#client,
      clock,
      random,
      namespace: this.#file.namespace,
      legacyConfigMap: this.#file.legacyConfigMap,
      leasesPath: this.#leases.path,
      cluster: this.#cluster,
      ...{ namespaces: this.#namespaces, leaseSink },
      first: this.#leading.shadow === null ? this.#ownership.firstRead : null,
      onFailure: (resource, { kind, message }) =>
        this.#log.warn({ event: "api-failure", resource, kind }, message),
    });
  }

  #createViews(): Views {
    const { allocation, probes, planner, rivals, shadow } = this.#leading;
    const [wireAsks, wireTruth] = [this.#wireAsks, this.#wireTruth];
    const counted = { responder: this.#responder, wireTruth, probes, events: this.#events };
    return new Views({
      ...{ node: this.#file.nodeName, clock, startedAt: this.#startedAt },
      server: () => this.#client.server,
      cluster: this.#cluster,
      ownership: this.#ownership,
      ...{ allocation, probes, planner, rivals, shadow },
      responder: this.#responder,
      ...{ store: this.#store, drain: this.#drain, happenings: this.#happenings, wireAsks },
      bgp: this.#bgp,
      leader: () => this.#leading.leader.status,
      api: () => apiHealth(this.#reflectors, this.#writer, this.#credentials.state()),
      host: () => ({
        missingInterfaces: this.#missing.names(),
        linkFailure: this.#host.failure,
        socketNotice: this.#socketNotice,
        beaconProblem: shadow === null ? this.#beacons.problem() : null,
        metricsProblem: this.#metrics.problem,
        namesake: this.#namesake.current,
        wire: this.#wireTruth.findings(),
        rivals: rivals.findings(),
      }),
      reserved: () => this.#leading.work.reserved,
      counters: () => countersOf({ ...counted, claims: this.#ownership.claims }),
    });
  }

  #createMetrics(): MetricsTask {
    const parts = { views: this.#views, cluster: this.#cluster, ownership: this.#ownership };
    const writers = { client: this.#client, writer: this.#writer, events: this.#events };
    const wire = { responder: this.#responder, wireTruth: this.#wireTruth, bgp: this.#bgp };
    const rest = { leading: this.#leading, store: this.#store, journal: this.#journal, clock };
    const host = { file: this.#file, log: this.#log };
    return new MetricsTask({ ...host, ...parts, ...writers, ...wire, ...rest });
  }

  #createCommands(): DaemonCommands {
    return new DaemonCommands({
      ...{ node: this.#file.nodeName, clock, drain: this.#drain, ...this.#tell },
      machine: () => this.#ownership.machine,
      drainView: () => this.#views.drain(),
      plan: () => this.#views.planRebalance(),
      later: (milliseconds, run) => void setTimeout(run, milliseconds),
    });
  }
}
