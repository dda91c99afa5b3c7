// Tests of the report of the responder thread: names of counters, and copies that do not change
// when the thread counts on.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import type { AnswerCount } from "../../../src/daemon/responder-report.ts";
import { reportOf } from "../../../src/daemon/responder-report.ts";
import { ip } from "../../support/ipam-requests.ts";
import { UNMEASURED } from "../../support/unmeasured.ts";

const NO_BEACONS = { received: 0, sent: 0, sendFailed: 0, foreign: 0 };
const NOTHING = {
  counters: {},
  answered: [],
  problems: [],
  beacons: NO_BEACONS,
  drops: {},
  peers: [],
  groupProblem: null,
  ...UNMEASURED,
  foreignClusters: [],
};

test("reportOf() nothing has the counters of beacons alone", () => {
  const names = ["beacon-foreign", "beacon-received", "beacon-sendFailed", "beacon-sent"];
  const { counters, ...rest } = reportOf(NOTHING);
  assert.deepEqual(Object.keys(counters).sort(), names);
  const empty = { vips: [], problems: [], peers: [], foreignClusters: [] };
  assert.deepEqual(rest, { ...empty, groupProblem: null, ...UNMEASURED });
});

test("reportOf() names each counter by where it was counted", () => {
  const { counters } = reportOf({
    ...NOTHING,
    counters: { answered: 3, sent: 4 },
    beacons: { ...NO_BEACONS, sent: 5 },
    drops: { hmac: 6, replay: 7 },
  });
  assert.deepEqual(counters, {
    answered: 3,
    sent: 4,
    "beacon-received": 0,
    "beacon-sent": 5,
    "beacon-sendFailed": 0,
    "beacon-foreign": 0,
    "beacon-drop-hmac": 6,
    "beacon-drop-replay": 7,
  });
});

test("reportOf() tells of each address, problem, peer and foreign cluster", () => {
  const last = { at: bootMs(9), to: "02:00:00:00:00:01" as Mac, interface: "eth0" };
  const answered: AnswerCount[] = [
    { address: ip("10.0.0.1"), count: 0, last: null, announced: 0 },
    { address: ip("10.0.0.2"), count: 8, last, announced: 4 },
  ];
  const peers = [
    { node: "n2", interface: "eth0", verdict: "heard", state: "live", jitterMs: 0.5 },
  ] as const;
  const problems = [{ interface: "eth1", message: "it is down", breaks: "all" }] as const;
  const mac = "02:00:00:00:00:09" as Mac;
  const host = { node: "x", interface: "eth0", address: ip("10.0.0.9"), mac };
  const foreignClusters = [{ cluster: "ff00000000000000", ...host }];
  const report = reportOf({ ...NOTHING, answered, problems, peers, foreignClusters });
  assert.deepEqual(report.vips, [
    { address: "10.0.0.1", answered: 0, lastAnswer: null, announced: 0 },
    { address: "10.0.0.2", answered: 8, lastAnswer: last, announced: 4 },
  ]);
  assert.deepEqual(report.problems, problems);
  assert.deepEqual([report.peers, report.foreignClusters], [peers, foreignClusters]);
});

test("reportOf() is of its moment: later counts are not in it", () => {
  const counters = { answered: 1 };
  const count: AnswerCount = { address: ip("10.0.0.1"), count: 1, last: null, announced: 0 };
  const report = reportOf({ ...NOTHING, counters, answered: [count] });
  counters.answered = 2;
  count.count = 2;
  assert.deepEqual([report.counters.answered, report.vips[0]?.answered], [1, 1]);
});
