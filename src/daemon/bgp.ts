// BGP on this node: what is decided, the task that has FRR do it, and whoever is told of it.

import { dirname } from "node:path";
import type { BgpPeerView, BgpRouteView, Finding } from "../api/types.ts";
import { Frr } from "../bgp/frr.ts";
import { type Vty, Vtysh } from "../bgp/vtysh.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import type { NodeFile } from "../config/node-file.ts";
import type { Ip } from "../core/address.ts";
import type { Clock } from "../core/time.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import type { BgpSession } from "../metrics/snapshot.ts";
import type { Store } from "../store/store.ts";
import { type BgpDecision, decideBgp, peersOn } from "./bgp-decision.ts";
import { bgpFindings } from "./bgp-findings.ts";
import { BgpReports } from "./bgp-reports.ts";
import { type BgpState, BgpTask } from "./bgp-task.ts";
import { bgpPeerViews, bgpRemaining, bgpRouteViews, bgpSessionCounts } from "./bgp-views.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Drain } from "./drain.ts";
import type { Logger } from "./logger.ts";
import { PeerPasswords } from "./peer-passwords.ts";
import type { Rivals } from "./rivals.ts";
import type { ServiceEvents } from "./service-events.ts";
import { currentAddresses } from "./service-request.ts";
import type { Task } from "./tasks.ts";
import { TcpSignatures } from "./tcp-signatures.ts";

export interface BgpOptions {
  readonly file: Pick<NodeFile, "nodeName" | "namespace" | "bgp" | "stateFile">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: ApiRequests;
  readonly store: Store;
  readonly cluster: ClusterView;
  readonly drain: Pick<Drain, "cause" | "force">;
  /** Why nothing may be said from this node, or null. */
  readonly muted: () => string | null;
  /** Nodes whose daemon is there, and not about to go. */
  readonly isThere: (node: string) => boolean;
  readonly events: ServiceEvents;
  readonly record: (event: EventInput) => void;
  /** Which Services are announced, and to whom, has changed. */
  readonly onAnnounced: () => void;
}

/** So long it is told that somebody changed what is lbd's. */
const RESTORED_MS = 600_000;

export class Bgp implements Task {
  readonly name = "bgp";
  readonly #passwords: PeerPasswords;
  readonly #options: BgpOptions;
  readonly #task: BgpTask;
  readonly #reports: BgpReports;
  readonly #signatures = new TcpSignatures();
  #isStopping = false;

  constructor(options: BgpOptions) {
    const { file, clock, log, client, store, cluster, events, record } = options;
    this.#options = options;
    this.#passwords = new PeerPasswords({ client, store, namespace: file.namespace });
    const { nodeName: node, namespace } = file;
    const about = { node, namespace, clock };
    const reports = new BgpReports({ ...about, log, cluster, events, record });
    this.#reports = reports;
    this.#task = new BgpTask({
      frr: new Frr(vtyOf(file)),
      clock,
      passwords: this.#passwords,
      peers: () => this.#peers(),
      decide: () => this.#decide(),
      onLooked: (state) => {
        if (reports.looked(state)) options.onAnnounced();
      },
    });
  }

  findings(): Finding[] {
    const { file, clock } = this.#options;
    const now = clock.boot();
    return bgpFindings({
      state: this.state,
      namespace: file.namespace,
      restored: this.#reports.restoredSince(now - RESTORED_MS),
      secretProblems: this.#passwords.problems,
      signatureProblem: this.#signatures.problem(now),
    });
  }

  /** As FRR has them now. */
  async peerViews(): Promise<BgpPeerView[]> {
    if (this.state.decision.intent.peers.length > 0) await this.#task.look();
    return bgpPeerViews(this.#peers(), this.state);
  }

  routeViews(): BgpRouteView[] {
    return bgpRouteViews(this.state, (key) => this.#addressesOf(key));
  }

  sessionCounts(): BgpSession[] {
    return bgpSessionCounts(this.state);
  }

  announcedAddresses(): { service: string; address: string }[] {
    return [...(this.announced?.keys() ?? [])].flatMap((service) =>
      this.#addressesOf(service).map((address) => ({ service, address })),
    );
  }

  /** By Service: the peers that are told of it; null: what FRR says is not known now. */
  get announced(): BgpState["decision"]["announced"] | null {
    const { decision, failure, applied } = this.state;
    if (decision.intent.peers.length === 0 && failure === null) return decision.announced;
    return failure === null && applied !== null ? decision.announced : null;
  }

  /** Of a drained node: what it announces still, and whom it has not told yet. */
  remaining(): { address: string; reason: string }[] {
    return bgpRemaining(this.state);
  }

  get state(): BgpState {
    return this.#task.state;
  }

  kick(change: { readonly config: boolean } = { config: false }): void {
    this.#task.kick(change);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#task.run(signal);
  }

  /** Takes all routes back before the daemon ends; waits until the routers have heard of it. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    await this.#task.withdrawn(timeoutMs);
  }

  #addressesOf(key: string): Ip[] {
    const service = this.#options.cluster.services.get(key);
    return service === undefined ? [] : currentAddresses(service);
  }

  #peers(): readonly BgpPeer[] {
    const { cluster, file } = this.#options;
    const node = cluster.nodes.get(file.nodeName);
    return node === undefined ? [] : peersOn(cluster.config, node);
  }

  #decide(): BgpDecision | null {
    const { cluster, file, drain, muted, isThere } = this.#options;
    if (!cluster.isSynced) return null;
    return decideBgp({
      ...{ node: file.nodeName, cluster, muted: muted(), isThere },
      drain: drain.cause === null ? null : { force: drain.force },
      isStopping: this.#isStopping,
      passwordOf: this.#passwords.of,
      routeMapIn: file.bgp.routeMapIn === "" ? null : file.bgp.routeMapIn,
    });
  }
}

/** What is for FRR is written beside the state, where nobody else can read it. */
function vtyOf({ bgp, stateFile }: Pick<NodeFile, "bgp" | "stateFile">): Vty {
  return new Vtysh({ program: bgp.vtysh, sockets: bgp.vtySockets, folder: dirname(stateFile) });
}

/** Why this node says nothing by BGP, as it answers for nothing; or null. */
export function whyMuted(
  { shadow, rivals }: { shadow: unknown; rivals: Pick<Rivals, "whyMuted"> },
  { isSilencing }: { readonly isSilencing: boolean },
): string | null {
  if (shadow !== null) return "this daemon runs in shadow mode";
  return isSilencing ? "another host runs lbd under this node's name" : rivals.whyMuted;
}
