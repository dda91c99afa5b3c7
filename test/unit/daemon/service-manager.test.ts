// Tests of how the answers of systemd are read. The texts are real ones: of systemd 252 (Debian 12)
// as process 1, read in a unit that it had just sent SIGTERM; the long name is put in by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  reasonIn,
  type StopReason,
  stopReason,
  unitOf,
} from "../../../src/daemon/service-manager.ts";

interface UnitRow {
  readonly name: string;
  readonly cgroups: string;
  readonly unit: string | null;
}

const UNITS: readonly UnitRow[] = [
  { name: "nothing", cgroups: "", unit: null },
  { name: "no service, without systemd", cgroups: "1:cpu:/\n0::/\n", unit: null },
  {
    name: "no service in a login session",
    cgroups: "0::/user.slice/user-0.slice/session-3.scope\n",
    unit: null,
  },
  {
    name: "no service in another hierarchy",
    cgroups: "4:memory:/system.slice/other.service\n0::/init.scope\n",
    unit: null,
  },
  { name: "the service with v2", cgroups: "0::/system.slice/lbd.service\n", unit: "lbd.service" },
  {
    name: "the service with v1 beside v2",
    cgroups:
      "9:name=systemd:/system.slice/lbd.service\n8:pids:/\n1:cpu:/\n0::/system.slice/lbd.service\n",
    unit: "lbd.service",
  },
  {
    name: "the service, seen from outside of its container",
    cgroups: "0::/lbd-lab-x/payload/system.slice/lbd.service\n",
    unit: "lbd.service",
  },
  {
    name: "the innermost service",
    cgroups: "0::/user.slice/user@0.service/app.slice/lbd@eth0.service/part\n",
    unit: "lbd@eth0.service",
  },
];

for (const { name, cgroups, unit } of UNITS) {
  test(`unitOf() finds ${name}`, () => {
    assert.equal(unitOf(cgroups), unit);
  });
}

const REBOOT = `\
1555 basic.target                                                      stop  waiting
1506 lbd.service                                                       stop  running
1483 run-credentials-systemd\\x2dtmpfiles\\x2dsetup\\x2ddev.service.mount stop  waiting
1467 systemd-reboot.service                                            start waiting
`;

interface JobRow {
  readonly name: string;
  readonly jobs: string;
  readonly reason: StopReason;
}

const JOBS: readonly JobRow[] = [
  { name: "no job, as after kill", jobs: "", reason: "stop" },
  { name: "no jobs in words", jobs: "No jobs running.\n", reason: "stop" },
  { name: "half a row", jobs: "244 lbd.service\n", reason: "stop" },
  { name: "a start that took too long", jobs: "84 lbd.service start running\n", reason: "stop" },
  { name: "a stop", jobs: "190 lbd.service stop running\n", reason: "stop" },
  { name: "a reboot", jobs: REBOOT, reason: "stop" },
  {
    name: "another unit's restart",
    jobs: "403 lbd.service stop running\n404 not-lbd.service restart running\n",
    reason: "stop",
  },
  { name: "a unit called restart", jobs: "9 restart start waiting\n", reason: "stop" },
  { name: "a restart", jobs: "244 lbd.service restart running\n", reason: "restart" },
  {
    name: "a restart among others",
    jobs:
      "  291 a-name-that-is-as-long-as-all-others-together.service start   waiting\n" +
      "  297 lbd.service                                          restart running\n",
    reason: "restart",
  },
];

for (const { name, jobs, reason } of JOBS) {
  test(`reasonIn() takes ${name} for a ${reason}`, () => {
    assert.equal(reasonIn(jobs, "lbd.service"), reason);
  });
}

test("stopReason() is a stop for whom systemd has not started", async () => {
  assert.equal(await stopReason(), "stop");
});
