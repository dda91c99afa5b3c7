// Traffic through an address, all the time, while something happens to the daemon of its owner: the
// daemon forwards nothing, the kernel does, so it goes on.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { VipView } from "../../src/api/types.ts";
import {
  clusterForSuite,
  type DaemonCluster,
  whileMachineRuns,
} from "../cluster/support/daemon-cluster.ts";
import { type Strike, struck, untilLive } from "../cluster/support/strike.ts";
import { deployBackends } from "../lab/backends.ts";
import type { LabDaemon } from "../lab/daemon.ts";
import { carriesOn } from "../lab/echo-stream.ts";
import { eventually } from "../lab/eventually.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import { Prober } from "../lab/prober.ts";
import { startUdpBackend } from "../lab/udp-backend.ts";

const ADDRESS = "192.168.100.50";
const PORT = 80;
const TO = { address: ADDRESS, port: PORT };
const FROZEN_MS = 2_000;
const UDP_ADDRESS = "192.168.100.51";
const UDP_PORT = 5300;
/** A daemon that was started again answers itself by then. */
const RESTART_MS = 4_000;

describe("traffic through an address", () => {
  const cluster = clusterForSuite({ nodes: 3, foreignHost: true });

  before(async () => {
    const c = cluster();
    await startKubeProxies(c.controlPlane);
    await c.createService("web", { ports: [{ port: PORT, targetPort: 8080 }] });
    assert.equal(await c.addressOf("web"), ADDRESS);
    const pods = c.lab.nodes.map((node) => ({ name: `web-${node.name}`, node }));
    await deployBackends(c.controlPlane, { service: "web", port: 8080, pods });
    const ask = () => c.lab.client.curl(`http://${ADDRESS}/`, { timeoutMs: 500 });
    await eventually("HTTP", ask, { until: ({ status }) => status === 200 });
  });

  describe("a connection", () => {
    const restarted = async (daemon: LabDaemon): Promise<void> => {
      await daemon.kill("SIGUSR2");
      await startAgain(cluster(), daemon);
    };
    const killed = async (daemon: LabDaemon): Promise<void> => {
      await daemon.kill("SIGKILL");
      await startAgain(cluster(), daemon);
    };
    const frozen = async (daemon: LabDaemon): Promise<void> => {
      await daemon.freeze();
      await sleep(FROZEN_MS);
      daemon.thaw();
    };
    const drained = async (daemon: LabDaemon): Promise<void> => {
      const { code, stdout } = await daemon.lbctl(["drain"]);
      assert.equal(code, 0, stdout);
    };

    /** Once more when the machine stood still; a connection stands still with it. */
    const goesOn = (during: (owner: string) => Promise<void>): Promise<void> =>
      whileMachineRuns(cluster(), ADDRESS, async () => {
        await untilLive(cluster());
        await during(await cluster().untilAnswering(ADDRESS));
      });

    test("goes on at every moment of a restart of its owner's daemon", async () => {
      const c = cluster();
      await goesOn(async (owner) => {
        await carriesOn(c.lab, TO, async () => {
          await restarted(c.daemon(owner));
          await owning(c, owner);
        });
        assert.equal(await c.untilAnswering(ADDRESS), owner);
      });
    });

    const ALONE = [
      ["is killed and started again", killed],
      ["is frozen for two seconds", frozen],
    ] as const;
    for (const [what, strike] of ALONE) {
      test(`goes on when the only daemon that may own it ${what}`, async () => {
        const c = cluster();
        await goesOn(async (owner) => {
          const others = c.lab.nodes.filter(({ name }) => name !== owner);
          await Promise.all(others.map(({ name }) => c.daemon(name).lbctl(["drain"])));
          try {
            await carriesOn(c.lab, TO, async () => {
              await strike(c.daemon(owner));
              await owning(c, owner);
            });
          } finally {
            await Promise.all(others.map(({ name }) => c.daemon(name).lbctl(["undrain"])));
          }
        });
      });
    }

    const MOVED = [
      ["is killed", killed],
      ["is frozen for two seconds", frozen],
      ["is drained", drained],
    ] as const;
    for (const [what, strike] of MOVED) {
      test(`of a client that keeps to its first owner goes on when that ${what}`, async () => {
        const c = cluster();
        await goesOn(async (owner) => {
          const entry = [ADDRESS, "dev", "eth0"];
          const kept = ["lladdr", c.node(owner).mac(), "nud", "permanent"];
          await c.lab.client.run(["ip", "neigh", "replace", ...entry, ...kept]);
          try {
            await carriesOn(c.lab, TO, async () => {
              await strike(c.daemon(owner));
              const elsewhere = async () => (await c.lab.client.whoAnswers(ADDRESS))[0];
              await eventually("another one to answer", elsewhere, {
                until: (mac) => mac !== undefined && mac !== c.node(owner).mac(),
              });
            });
          } finally {
            await c.lab.client.run(["ip", "neigh", "del", ...entry]);
            await c.daemon(owner).lbctl(["undrain"]);
          }
        });
      });
    }
  });

  describe("a client with a warm cache, which sends every millisecond, loses nothing", () => {
    let prober: Prober;

    before(async () => {
      const c = cluster();
      const ports = [{ port: UDP_PORT, protocol: "UDP" }];
      await c.createService("udp", { ports, loadBalancerIP: UDP_ADDRESS });
      await startUdpBackend(c.controlPlane, { service: "udp", port: UDP_PORT });
      await c.untilAnswering(UDP_ADDRESS);
      prober = Prober.startWarm(c.lab, UDP_PORT);
    });
    after(() => prober?.stop());

    const STRIKES: readonly (readonly [string, string, Omit<Strike, "address">])[] = [
      [
        "when its owner's daemon is killed",
        "owner-silent",
        {
          strike: async (owner) => cluster().daemon(owner.name).process.signal("SIGKILL"),
          heal: (owner) => cluster().start(owner),
        },
      ],
      [
        "when its owner is drained",
        "handed-over",
        {
          strike: (owner) => cluster().daemon(owner.name).lbctl(["drain"]),
          heal: (owner) => cluster().daemon(owner.name).lbctl(["undrain"]),
        },
      ],
      [
        "when its owner's daemon is restarted",
        "resumed",
        {
          keepsOwner: true,
          watchMs: RESTART_MS,
          strike: async (owner) => {
            await cluster().daemon(owner.name).kill("SIGUSR2");
            await cluster().start(owner);
          },
        },
      ],
    ];
    for (const [what, cause, strike] of STRIKES) {
      test(what, async () => {
        await whileMachineRuns(cluster(), UDP_ADDRESS, async () => {
          const told = await struck(cluster(), prober, { address: UDP_ADDRESS, ...strike });
          assert.equal(told.gained?.cause, cause);
          assert.equal(told.blackout.lost, 0, JSON.stringify(told.blackout));
        });
      });
    }
  });
});

async function startAgain(c: DaemonCluster, daemon: LabDaemon): Promise<void> {
  await c.start(c.node(daemon.node.name));
}

async function owning(c: DaemonCluster, node: string): Promise<void> {
  const vips = () => c.daemon(node).items<VipView>("/v1/vips");
  await eventually(`${node} to own it`, vips, {
    until: (all) => all.some(({ address, here }) => address === ADDRESS && here === "owning"),
  });
}
