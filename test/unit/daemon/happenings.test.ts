// Tests of what followers of the event stream are told, and when the daemon looks for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, StreamEvent } from "../../../src/api/types.ts";
import { wallMs } from "../../../src/core/time.ts";
import { Happenings, type HealthNow } from "../../../src/daemon/happenings.ts";
import { StandingFindings } from "../../../src/daemon/standing-findings.ts";
import type { HistoryRow } from "../../../src/store/store.ts";

const ROW: HistoryRow = {
  ...{ at: wallMs(0), address: "10.0.0.1", change: "gained", node: "n1" },
  ...{ epoch: 1, cause: "unheld", detail: "" },
};
const WELL: HealthNow = { health: "ok", findings: [] };
const ILL: HealthNow = { health: "degraded", findings: [] };

test("who follows is told what is wrong, at once and when that changes, and each row", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setImmediate"] });
  let now = WELL;
  let looks = 0;
  const happenings = new Happenings(() => {
    looks += 1;
    return now;
  });
  const seen: StreamEvent[] = [];
  const end = happenings.follow((event) => void seen.push(event));
  happenings.changed(ROW);
  assert.equal(seen.length, 1, "whoever answers for a VIP then is not kept waiting");
  t.mock.timers.tick(6_000);
  now = ILL;
  t.mock.timers.tick(2_000);
  const change = { ...ROW, at: "1970-01-01T00:00:00.000Z" };
  const expected = [
    { type: "health", ...WELL },
    { type: "change", change },
    { type: "health", ...ILL },
  ];
  assert.deepEqual(seen, expected);
  end();
  const before = looks;
  happenings.changed(ROW);
  t.mock.timers.tick(10_000);
  assert.deepEqual([seen.length, looks], [3, before], "nobody follows");
});

test("a second follower does not hide a change from the first", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = WELL;
  const happenings = new Happenings(() => now);
  const [first, second]: [string[], string[]] = [[], []];
  const note = (to: string[]) => (event: StreamEvent) =>
    void to.push(event.type === "health" ? event.health : event.type);
  happenings.follow(note(first));
  now = ILL;
  happenings.follow(note(second));
  t.mock.timers.tick(2_000);
  assert.deepEqual(first, ["ok", "degraded"]);
  assert.equal(second[0], "degraded");
});

test("ten thousand rows at once are told a hundred at a time, in order", (t) => {
  t.mock.timers.enable({ apis: ["setInterval", "setImmediate"] });
  const happenings = new Happenings(() => WELL);
  const epochs: number[] = [];
  happenings.follow((event) => void (event.type === "change" && epochs.push(event.change.epoch)));
  for (let epoch = 0; epoch < 10_000; epoch++) happenings.changed({ ...ROW, epoch });
  t.mock.timers.tick(0);
  assert.equal(epochs.length % 100, 0);
  t.mock.timers.tick(1_000);
  assert.deepEqual(
    epochs,
    Array.from({ length: 10_000 }, (_, n) => n),
  );
});

const finding = (what: string, cause = "why"): Finding => ({
  ...{ health: "degraded", what, cause, next: "do" },
});

test("StandingFindings keep their time while they stand; what comes back begins anew", () => {
  const standing = new StandingFindings();
  const since = (all: readonly Finding[], now: number) =>
    standing.dated(all, wallMs(now)).map((one) => Date.parse(one.since));
  assert.deepEqual(since([finding("a")], 1_000), [1_000]);
  assert.deepEqual(since([finding("a", "other"), finding("b")], 2_000), [1_000, 2_000]);
  assert.deepEqual(since([finding("b")], 3_000), [2_000]);
  assert.deepEqual(since([finding("a"), finding("b")], 4_000), [4_000, 2_000]);
});

test("StandingFindings of more than are listed keep their time, however many there are", () => {
  const standing = new StandingFindings();
  standing.dated([finding("And 3 more of this kind", "beacons")], wallMs(1_000));
  const [more] = standing.dated([finding("And 7 more of this kind", "beacons")], wallMs(2_000));
  assert.equal(more?.since, "1970-01-01T00:00:01.000Z");
});
