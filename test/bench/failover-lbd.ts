// The faults of lbd's owner: three bundled daemons with a real control plane and one Service.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import type { HistoryView, NodeView, StatusView, VipView } from "../../src/api/types.ts";
import { type DaemonCluster, POOL } from "../cluster/support/daemon-cluster.ts";
import type { LabDaemon } from "../lab/daemon.ts";
import { eventually } from "../lab/eventually.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { startUdpBackend } from "../lab/udp-backend.ts";
import { BUNDLED, startBundledCluster } from "./bundled-cluster.ts";
import type { ClientKind, LbdRow } from "./failover-rows.ts";
import { type Fault, type Moment, WATCH_MS } from "./failover-trial.ts";

const SERVICE = "failover";
/** Where a warm client sends datagrams. */
export const UDP_PORT = 5300;
const FROZEN_MS = 2_000;
const CUT_MS = 2_000;
/** Longer than a node Lease lasts without being renewed. */
const ETCD_DOWN_MS = 20_000;
/** A daemon has started anew by then, and answers itself. */
const RESTART_MS = 5_000;
const SETTLE_TIMEOUT_MS = 60_000;
/** Longer than a daemon that has just started takes nothing (design, section 4.9). */
const START_HOLD_MS = 3_500;

export class LbdContender {
  readonly #cluster: DaemonCluster;
  readonly #address: string;
  /** Boot clock: when the last of the daemons had started. */
  #startedAt = bootTimeMs();

  private constructor(cluster: DaemonCluster, address: string) {
    this.#cluster = cluster;
    this.#address = address;
  }

  static async start(lab: Lab, client: ClientKind): Promise<LbdContender> {
    const cluster = await startBundledCluster(lab, POOL);
    if (client === "warm") await forward(cluster);
    else await cluster.createService(SERVICE);
    return new LbdContender(cluster, await cluster.addressOf(SERVICE));
  }

  /** In the order of their rows. */
  faults(): Fault[] {
    const c = this.#cluster;
    const { controlPlane } = c;
    return [
      this.#fault("cable pulled", {
        strike: (owner) => owner.pullCables(),
        heal: (owner) => owner.plugCables(),
      }),
      this.#fault("data cable pulled", {
        strike: (owner) => owner.dataLink.down(),
        heal: (owner) => owner.dataLink.up(),
      }),
      this.#fault("kill", {
        strike: async (owner) => void c.daemon(owner.name).process.signal("SIGKILL"),
        heal: (owner) => this.#restart(owner),
      }),
      this.#frozen(),
      this.#partitioned("partition and heal"),
      this.#fault("api down and cable pulled", {
        isSlowToHeal: true,
        prepare: () => this.#loseApi(),
        strike: (owner) => owner.pullCables(),
        heal: async (owner) => {
          await owner.plugCables();
          await controlPlane.startApiServer();
        },
      }),
      this.#partitioned("api down, partition and heal", {
        isSlowToHeal: true,
        prepare: () => this.#loseApi(),
        heal: () => controlPlane.startApiServer(),
      }),
      this.#fault("etcd down", {
        keepsOwner: true,
        watchMs: ETCD_DOWN_MS,
        strike: () => controlPlane.stopEtcd(),
        heal: () => controlPlane.restartEtcd(),
      }),
      // From here on what somebody does on purpose, and the daemon can prepare for.
      this.#fault("stop", {
        strike: async (owner) => void c.daemon(owner.name).process.signal("SIGTERM"),
        heal: (owner) => this.#restart(owner),
      }),
      this.#fault("drain", {
        strike: async (owner) => void (await c.daemon(owner.name).lbctl(["drain"])),
        heal: async (owner) => void (await c.daemon(owner.name).lbctl(["undrain"])),
      }),
      this.#fault("restart", {
        keepsOwner: true,
        watchMs: RESTART_MS,
        strike: async (owner) => {
          await c.daemon(owner.name).process.signal("SIGUSR2");
          await this.#restart(owner);
        },
        heal: async () => {},
      }),
    ];
  }

  #fault(name: LbdRow, about: Partial<Fault> & Pick<Fault, "strike" | "heal">): Fault {
    return {
      name,
      contender: "lbd",
      address: this.#address,
      keepsOwner: false,
      isSlowToHeal: false,
      watchMs: WATCH_MS,
      joinedAt: () => null,
      explain: (nodes, moment) => this.#history(nodes, moment),
      ...about,
      prepare: async () => {
        await this.#settle();
        await about.prepare?.();
      },
    };
  }

  /** Thawed while it is still watched: what wakes up must not disturb the next owner. */
  #frozen(): Fault {
    let thawed: Promise<void> = Promise.resolve();
    return this.#fault("frozen", {
      watchMs: FROZEN_MS + WATCH_MS,
      strike: async (owner) => {
        const daemon = this.#cluster.daemon(owner.name);
        await daemon.freeze();
        thawed = sleep(FROZEN_MS).then(() => daemon.thaw());
      },
      heal: () => thawed,
    });
  }

  /**
   * The owner's node and the two others do not hear each other on the data segment; the client
   * hears all of them. Joined again while it is watched: two that answer must become one.
   */
  #partitioned(name: LbdRow, about: Partial<Fault> = {}): Fault {
    let joined: Promise<void> = Promise.resolve();
    let joinedAt: number | null = null;
    const { lab } = this.#cluster;
    return this.#fault(name, {
      ...about,
      watchMs: CUT_MS + WATCH_MS,
      strike: async (owner) => {
        joinedAt = null;
        const others = lab.nodes.filter((node) => node !== owner);
        const partition = await lab.partition([owner], others);
        joined = sleep(CUT_MS).then(() => {
          // Before the rules are gone: what is measured from here on can only be too long.
          joinedAt = bootTimeMs();
          return partition.heal();
        });
      },
      heal: async (owner) => {
        await joined;
        await about.heal?.(owner);
      },
      joinedAt: () => joinedAt,
    });
  }

  async #loseApi(): Promise<void> {
    await this.#cluster.controlPlane.stopApiServer();
    await this.#untilAll("the API to be missed", (status) => !status.api.reachable);
  }

  async #restart(node: LabNode): Promise<void> {
    await this.#cluster.daemon(node.name).process.waitForEnd();
    await this.#cluster.start(node, BUNDLED);
    this.#startedAt = bootTimeMs();
  }

  /** Everybody is well, alive to everybody else, and of one mind about who owns the address. */
  async #settle(): Promise<void> {
    await this.#untilAll("every daemon to be well", (status) => status.health === "ok");
    for (const daemon of this.#cluster.daemons.values()) {
      const nodes = async () => (await daemon.items<NodeView>("/v1/nodes")).map((n) => n.member);
      await eventually(`all nodes to be alive to ${daemon.node.name}`, nodes, {
        timeoutMs: SETTLE_TIMEOUT_MS,
        until: (members) => members.length === 3 && members.every((member) => member === "alive"),
      });
    }
    await eventually("one owner, the same to everybody", () => this.#views(), {
      timeoutMs: SETTLE_TIMEOUT_MS,
      until: (views) => {
        const owners = new Set(views.map((view) => view?.owner ?? null));
        const owning = views.filter((view) => view?.here === "owning");
        return owners.size === 1 && !owners.has(null) && owning.length === 1;
      },
    });
    await sleep(Math.max(0, this.#startedAt + START_HOLD_MS - bootTimeMs()));
  }

  #views(): Promise<(VipView | undefined)[]> {
    const ask = async (daemon: LabDaemon) =>
      (await daemon.items<VipView>("/v1/vips")).find((vip) => vip.address === this.#address);
    return Promise.all([...this.#cluster.daemons.values()].map(ask));
  }

  async #untilAll(what: string, isSo: (status: StatusView) => boolean): Promise<void> {
    for (const daemon of this.#cluster.daemons.values()) {
      const read = async () =>
        (JSON.parse((await daemon.get("/v1/status")).body) as { item: StatusView }).item;
      const options = { timeoutMs: SETTLE_TIMEOUT_MS, until: isSo };
      await eventually(`${what} (${daemon.node.name})`, read, options);
    }
  }

  /** Who gained and lost what since the fault, and when; a daemon that has ended tells nothing. */
  async #history(nodes: readonly LabNode[], moment: Moment): Promise<string[]> {
    const lines: string[] = [];
    for (const { name } of nodes) {
      const daemon = this.#cluster.daemon(name);
      if (!daemon.process.isRunning) continue;
      const path = `/v1/history?address=${this.#address}&limit=5`;
      for (const row of (await daemon.items<HistoryView>(path)).reverse()) {
        const afterMs = Date.parse(row.at) - moment.wallAt;
        if (afterMs < 0) continue;
        const detail = row.detail === "" ? "" : ` (${row.detail})`;
        lines.push(`${name}: +${afterMs} ms ${row.change} ${row.cause}${detail}`);
      }
    }
    return lines;
  }
}

/** A Service that carries datagrams to a server beside the cluster. */
async function forward(cluster: DaemonCluster): Promise<void> {
  await cluster.createService(SERVICE, { ports: [{ port: UDP_PORT, protocol: "UDP" }] });
  await startUdpBackend(cluster.controlPlane, { service: SERVICE, port: UDP_PORT });
  await startKubeProxies(cluster.controlPlane);
}
