// What the beacons need from the cluster: the key they are authenticated with, and the cluster's
// identity. Both are kept in the store, so that a node that starts without an API is heard.

import { createHash, randomBytes } from "node:crypto";
import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { PeerNews } from "../beacon/news.ts";
import { CLUSTER_SETTING } from "../core/node-account.ts";
import type { PeerEvent } from "../core/peer.ts";
import type { Random } from "../core/random.ts";
import type { Clock } from "../core/time.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { clusterUid } from "../k8s-sync/cluster-uid.ts";
import { timerSleep } from "../k8s-sync/sleep.ts";
import type { Store } from "../store/store.ts";
import { BeaconKeyTask } from "./beacon-key-task.ts";
import type { Logger } from "./logger.ts";
import type { Namesake } from "./namesake.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Task } from "./tasks.ts";

export interface BeaconsOptions {
  readonly client: ApiRequests;
  readonly namespace: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly isLeader: () => boolean;
  readonly log: Logger;
  readonly tellResponder: (message: ToResponder) => void;
  readonly tellOwnership: (news: PeerEvent | { readonly type: "tick" }) => void;
  readonly onComplaint: (complaint: Extract<PeerEvent, { type: "peer-complaint" }>) => void;
  readonly namesake: Pick<Namesake, "note">;
}

const INCARNATION_SETTING = "incarnation";
const RETRY_MS = 1_000;
/** Bytes of the identity in a beacon, as hexadecimal digits. */
const CLUSTER_DIGITS = 16;

export class Beacons implements Task {
  readonly name = "beacons";
  readonly #options: BeaconsOptions;
  readonly #keys: BeaconKeyTask;

  constructor(options: BeaconsOptions) {
    this.#options = options;
    const { client, namespace, store, clock, random, isLeader, tellResponder } = options;
    this.#keys = new BeaconKeyTask({
      client,
      namespace,
      store,
      clock,
      random,
      randomBytes,
      isLeader,
      onKeys: (keys) => tellResponder({ type: "beacon-keys", ...keys }),
    });
  }

  /** What the responder thread says of the peers goes to the ownership machine. */
  onPeer(news: PeerNews): void {
    if (news.type === "peer-complaint") this.#options.onComplaint(news);
    if (news.type === "name-conflict") return this.#onNameConflict(news);
    if (news.type === "foreign-cluster") return this.#onForeignCluster(news);
    this.#options.tellOwnership(news);
  }

  #onNameConflict(news: Extract<PeerNews, { type: "name-conflict" }>): void {
    this.#options.namesake.note(news);
    this.#options.tellOwnership({ type: "tick" });
    const { interface: name, address } = news;
    const text = `the host ${address} on ${name} runs lbd under this node's name, too`;
    this.#options.log.error({ event: "name-conflict", address, interface: name }, text);
  }

  /** Normal on a LAN that several clusters share: said, and nothing else. */
  #onForeignCluster(news: ForeignCluster): void {
    const { cluster, node, interface: name, address, mac } = news;
    const about = { cluster, node, interface: name, address, mac };
    const text = `lbd on the host ${address} on ${name} says it is of another cluster: ignored`;
    this.#options.log.info({ event: "foreign-cluster", ...about }, text);
  }

  /** Why this node cannot be heard, or null. */
  problem(): string | null {
    return this.#keys.problem();
  }

  async run(signal: AbortSignal): Promise<void> {
    const known = this.#options.store.setting(CLUSTER_SETTING);
    if (known !== null) this.#tellCluster(Buffer.from(known).toString("utf8"));
    await Promise.all([this.#keys.run(signal), this.#readIdentity(signal)]);
  }

  async #readIdentity(signal: AbortSignal): Promise<void> {
    const { client, store } = this.#options;
    while (!signal.aborted) {
      const read = await clusterUid(client, { signal });
      if (read.ok) {
        store.saveSetting(CLUSTER_SETTING, Buffer.from(read.value, "utf8"));
        this.#tellCluster(read.value);
        return;
      }
      await timerSleep(RETRY_MS, signal);
    }
  }

  #tellCluster(uid: string): void {
    const cluster = createHash("sha256").update(uid).digest("hex").slice(0, CLUSTER_DIGITS);
    this.#options.tellResponder({ type: "cluster", cluster });
  }
}

/** Grows with every start, also when the wall clock was set back. */
export function nextIncarnation(store: Store, clock: Clock): number {
  const saved = store.setting(INCARNATION_SETTING);
  const last = saved === null ? 0 : Number(Buffer.from(saved).toString("utf8"));
  const next = Math.max(Number.isSafeInteger(last) ? last + 1 : 0, Math.floor(clock.wall()));
  store.saveSetting(INCARNATION_SETTING, Buffer.from(String(next), "utf8"));
  return next;
}
