// Tests of the watch over the host of a daemon that restarts: when it is asked, and when it counts
// as gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HOST_MISSES, HostWatch } from "../../../src/beacon/host-watch.ts";
import { bootMs, NEVER } from "../../../src/core/time.ts";

function begun(): HostWatch {
  const watch = new HostWatch();
  watch.begin(100, bootMs(0));
  return watch;
}

/** Asked at each of the times. */
function askedAt(watch: HostWatch, ...times: readonly number[]): HostWatch {
  for (const ms of times) assert.equal(watch.takeAsk(bootMs(ms)), true, `${ms}`);
  return watch;
}

const STATES: readonly (readonly [string, HostWatch, { there: boolean; gone: boolean }])[] = [
  ["never watched", new HostWatch(), { there: true, gone: false }],
  ["watched, not asked", begun(), { there: true, gone: false }],
  ["asked, with time to answer", askedAt(begun(), 100), { there: true, gone: false }],
  ["one miss", askedAt(begun(), 100, 200), { there: false, gone: false }],
  ["two misses", askedAt(begun(), 100, 200, 300), { there: false, gone: false }],
  ["three misses", askedAt(begun(), 100, 200, 300, 400), { there: false, gone: true }],
];

for (const [name, watch, { there, gone }] of STATES) {
  test(`HostWatch, ${name}: is there ${there}, is gone ${gone}`, () => {
    assert.equal(HOST_MISSES, 3);
    assert.deepEqual([watch.isThere, watch.isGone], [there, gone]);
  });
}

test("HostWatch.takeAsk() is true once an interval, and never of one that is not watched", () => {
  const times = [0, 99, 100, 101, 199, 200, 450, 500, 550];
  const asked = (watch: HostWatch) => times.filter((ms) => watch.takeAsk(bootMs(ms)));
  assert.deepEqual(asked(begun()), [100, 200, 450, 550], "counted from the last request");
  assert.deepEqual(asked(new HostWatch()), []);
});

test("HostWatch.due is the next request, and never without a watch", () => {
  const watch = begun();
  assert.equal(watch.due, 100);
  askedAt(watch, 130);
  assert.equal(watch.due, 230);
  watch.end();
  assert.equal(watch.due, NEVER);
  assert.equal(new HostWatch().due, NEVER);
});

test("HostWatch.begin() said again changes nothing", () => {
  const watch = askedAt(begun(), 100, 200);
  watch.begin(500, bootMs(250));
  assert.deepEqual([watch.due, watch.isThere], [300, false]);
});

test("HostWatch.answered() forgives every miss before it", () => {
  const watch = askedAt(begun(), 100, 200, 300, 400);
  watch.answered();
  assert.deepEqual([watch.isThere, watch.isGone], [true, false]);
  askedAt(watch, 500);
  assert.equal(watch.isThere, true, "it has the time until the next one");
  askedAt(watch, 600);
  assert.equal(watch.isThere, false);
});

test("HostWatch.begin() after end() begins anew", () => {
  const watch = askedAt(begun(), 100, 200, 300, 400);
  watch.end();
  assert.equal(watch.isGone, false);
  watch.begin(100, bootMs(1_000));
  askedAt(watch, 1_100);
  assert.deepEqual([watch.isThere, watch.due], [true, 1_200]);
});
