// stopReason() in a unit with the sandbox of systemd/lbd.service, under a real systemd: what it
// says for each way in which a unit is ended.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { StopReason } from "../../src/daemon/service-manager.ts";
import { type Container, SHARED } from "../lab/container.ts";
import { eventually } from "../lab/eventually.ts";
import { containerForSuite, containerForTest } from "../lab/for-test.ts";
import { CHECKOUT_BINDS, installUnit, NODE, programOf } from "./support/checkout.ts";

interface Said {
  readonly reason: StopReason;
  readonly ms: number;
}

const UNIT = "probe.service";
const PROBE = programOf("test/systemd/support/stop-reason-probe.ts");
/** ANSWER_MS_MAX of service-manager.ts, and what a busy machine adds to it. */
const MS_MAX = 1_500 + 1_500;
const SAID_MS_MAX = 15_000;
const REBOOT_MS_MAX = 30_000;

/** A systemctl that gives no answer. */
const SILENT = `#!/bin/sh
exec sleep 60
`;

/** A line of JSON for each time that the probe was ended. */
const FILE = "said";

function dropIn(more = ""): string {
  // Without ExecReload: what cannot be reloaded is restarted.
  const exec = `ExecReload=\nExecStart=\nExecStart=${NODE} ${PROBE} ${SHARED}/${FILE}\n`;
  // The tests restart it more often than systemd puts up with by default.
  return `[Unit]\nStartLimitIntervalSec=0\n[Service]\n${exec}ReadWritePaths=${SHARED}\n${more}`;
}

function saidIn(container: Container): readonly Said[] {
  const path = join(container.shared, FILE);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Said);
}

/** What the probe says when the command ends it; it runs at first. */
async function saidOn(container: Container, command: string, unit = UNIT): Promise<Said> {
  await container.run(["systemctl", "start", unit]);
  const before = saidIn(container).length;
  await container.run(["sh", "-c", command]);
  const all = await eventually("the probe to end", () => saidIn(container), {
    until: (said) => said.length > before,
    timeoutMs: SAID_MS_MAX,
  });
  assert.equal(all.length, before + 1);
  return all.at(-1) ?? { reason: "stop", ms: Number.NaN };
}

const ROWS: readonly (readonly [command: string, reason: StopReason])[] = [
  [`systemctl kill ${UNIT}`, "stop"],
  [`kill $(systemctl show --property MainPID --value ${UNIT})`, "stop"],
  [`systemctl stop ${UNIT}`, "stop"],
  [`systemctl stop --no-block ${UNIT} && systemctl start --no-block ${UNIT}`, "stop"],
  [`systemctl isolate rescue.target && systemctl isolate multi-user.target`, "stop"],
  [`systemctl restart ${UNIT}`, "restart"],
  [`systemctl restart --no-block ${UNIT}`, "restart"],
  [`systemctl try-restart ${UNIT}`, "restart"],
  [`systemctl reload-or-restart ${UNIT}`, "restart"],
  [`deb-systemd-invoke restart ${UNIT}`, "restart"],
  [`invoke-rc.d probe restart`, "restart"],
];

/** Its user is not root: what it says goes where that may write. */
async function installProbe(container: Container): Promise<void> {
  await container.run(["chmod", "777", SHARED]);
  await installUnit(container, UNIT, dropIn());
}

describe("stopReason()", () => {
  let container: Container;
  containerForSuite({ binds: CHECKOUT_BINDS }, async (made) => {
    container = made;
    await installProbe(container);
  });

  for (const [command, reason] of ROWS) {
    test(`is "${reason}" for ${command}`, async () => {
      const said = await saidOn(container, command);
      assert.equal(said.reason, reason);
      assert.ok(said.ms < MS_MAX, `${said.ms} ms`);
    });
  }

  test("is a stop when systemctl cannot be run", async () => {
    const unit = "without.service";
    await installUnit(container, unit, dropIn("InaccessiblePaths=/usr/bin/systemctl\n"));
    assert.equal((await saidOn(container, `systemctl restart ${unit}`, unit)).reason, "stop");
  });

  test("is a stop within its time when systemctl does not answer", async () => {
    const unit = "silent.service";
    await container.write("/usr/local/lib/silent", SILENT, { mode: "755" });
    const bind = "BindReadOnlyPaths=/usr/local/lib/silent:/usr/bin/systemctl\n";
    await installUnit(container, unit, dropIn(bind));
    const said = await saidOn(container, `systemctl restart ${unit}`, unit);
    assert.equal(said.reason, "stop");
    assert.ok(said.ms >= 1_500 && said.ms < MS_MAX, `${said.ms} ms`);
  });
});

for (const command of ["systemctl reboot", "systemctl poweroff"]) {
  test(`stopReason() is "stop" for ${command}`, async (t) => {
    const container = await containerForTest(t, { binds: CHECKOUT_BINDS });
    await installProbe(container);
    assert.equal((await saidOn(container, command)).reason, "stop");
    await container.waitForEnd(REBOOT_MS_MAX);
  });
}
