// systemd/lbd-withdraw.service under a real systemd, beside a real FRR that lets in whoever is in
// its group: routes stay while the daemon is away for a moment, and not for ever.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "../lab/container.ts";
import { eventually } from "../lab/eventually.ts";
import { containerForSuite } from "../lab/for-test.ts";
import { provided } from "../lab/provided.ts";
import { CHECKOUT_BINDS, installLbd, NODE, programOf } from "./support/checkout.ts";

const ROUTING = await provided("provide-routing.sh");
const UNIT = "lbd.service";
const COUNTDOWN = "lbd-withdraw.service";
const SECONDS = 3;
const FRR = "/opt/routing";
const LIBRARIES = [
  "usr/lib/x86_64-linux-gnu",
  "lib/x86_64-linux-gnu",
  "usr/lib/x86_64-linux-gnu/frr",
]
  .map((folder) => `${FRR}/${folder}`)
  .join(":");
const LBCTL = `#!/bin/sh\nexec ${NODE} ${programOf("src/cli/main.ts")} "$@"\n`;
const VTYSH = `#!/bin/sh\nexport LD_LIBRARY_PATH=${LIBRARIES}\nexec ${FRR}/usr/bin/vtysh "$@"\n`;
/** What a daemon has left there, beside what the administrator has. */
const LEFT = `route-map admins permit 10
exit
route-map lbd-net-all permit 10
exit
router bgp 64512
 no bgp network import-check
 neighbor 10.9.0.1 remote-as 64513
 neighbor 10.9.0.1 description lbd: BGPPeer tor
 address-family ipv4 unicast
  network 10.1.0.1/32 route-map lbd-net-all
 exit-address-family
exit
`;

describe(COUNTDOWN, () => {
  let container: Container;
  const sh = (script: string) => container.run(["sh", "-c", script]);
  const running = () => container.run(["vtysh", "-c", "show running-config"]);
  const isAnnounced = async () => (await running()).includes("network 10.1.0.1/32");
  const announce = () => container.run(["vtysh", "-f", "/srv/left.conf"]);

  containerForSuite({ binds: { ...CHECKOUT_BINDS, [FRR]: ROUTING } }, async (made) => {
    container = made;
    await installLbd(container);
    const unit = readFileSync(join(import.meta.dirname, `../../systemd/${COUNTDOWN}`), "utf8");
    await container.write(`/etc/systemd/system/${COUNTDOWN}`, unit);
    await container.write("/usr/bin/lbctl", LBCTL, { mode: "755" });
    await container.write("/usr/bin/vtysh", VTYSH, { mode: "755" });
    await container.write("/srv/left.conf", LEFT);
    await container.write(
      "/etc/lbd/config.yaml",
      `bgp: {routesWithoutDaemonSeconds: ${SECONDS}}\nmetrics: {port: 0}\n`,
    );
    // What the package frr does.
    await sh(`groupadd --system frrvty && useradd --system --user-group frr &&
        usermod -aG frrvty frr && install -d -o frr -g frr -m 755 /run/frr &&
        install -d -o frr -g frrvty -m 755 /etc/frr && : > /etc/frr/vtysh.conf &&
        cp ${FRR}/etc/pam.d/frr /etc/pam.d/frr && systemctl daemon-reload`);
    for (const daemon of ["zebra", "bgpd"]) {
      const argv = ["systemd-run", `--unit=${daemon}`, `--setenv=LD_LIBRARY_PATH=${LIBRARIES}`];
      await container.run([...argv, `${FRR}/usr/lib/frr/${daemon}`, "-f", "/dev/null"]);
      await eventually(`${daemon}'s socket`, () => sh(`ls /run/frr/${daemon}.vty`));
    }
    await announce();
    await container.run(["systemctl", "start", UNIT]);
  });

  test("a daemon that is not in FRR's group is told how to come in", async () => {
    await container.run(["systemctl", "stop", UNIT]);
    await eventually("its failure", () => sh(`journalctl -o cat -u ${COUNTDOWN}`), {
      until: (text) => text.includes("sudo adduser lbd frrvty"),
      timeoutMs: 20_000,
    });
    assert.equal(await isAnnounced(), true);
    await sh("usermod -aG frrvty lbd");
    await container.run(["systemctl", "start", UNIT]);
  });

  test("a daemon that is killed is back before the countdown ends: routes stay", async () => {
    await container.run(["systemctl", "kill", "--signal=SIGKILL", UNIT]);
    await eventually(
      "the daemon",
      async () => {
        const state = await container.property(UNIT, "ActiveState");
        return `${state} ${await container.property(COUNTDOWN, "ActiveState")}`;
      },
      { until: (text) => text === "active inactive", timeoutMs: 20_000 },
    );
    await sleep((SECONDS + 1) * 1_000);
    assert.equal(await isAnnounced(), true);
  });

  test("a daemon that stays away loses its routes in FRR, and nothing else", async () => {
    await container.run(["systemctl", "stop", UNIT]);
    await eventually("the countdown", () => container.property(COUNTDOWN, "ActiveState"), {
      until: (state) => state === "active",
    });
    assert.equal(await isAnnounced(), true);
    await eventually("no route", async () => !(await isAnnounced()), {
      timeoutMs: 20_000,
      intervalMs: 200,
    });
    const left = await running();
    assert.doesNotMatch(left, /lbd-net|router bgp/);
    assert.match(left, /route-map admins permit 10/);
    const said = await sh(`journalctl -o cat -u ${COUNTDOWN}`);
    assert.match(said, /FRR announces nothing of lbd any more/);
  });

  test("is as closed as the daemon itself", async () => {
    const said = await container.run(["systemd-analyze", "security", "--no-pager", COUNTDOWN]);
    const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
    assert.ok(level > 0 && level <= 2.5, `${level}`);
  });
});
