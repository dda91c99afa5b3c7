// Tests of the status of IPAddressPools: what is written, when, and what is left alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import type { PoolStatus } from "../../../src/daemon/pool-status.ts";
import { PoolStatusTask, statusesToWrite } from "../../../src/daemon/pool-status.ts";
import type { PoolUsage } from "../../../src/ipam/types.ts";
import { decodeOwnedObject } from "../../../src/k8s-sync/decode.ts";
import type { OwnedObject } from "../../../src/k8s-sync/model.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";

function usage(pool: string, assignedIpv4: number): PoolUsage {
  const availableIpv4 = 10 - assignedIpv4;
  return { pool, assignedIpv4, availableIpv4, assignedIpv6: 0, availableIpv6: 0 };
}

function status(assignedIPv4: number): PoolStatus {
  const availableIPv4 = 10 - assignedIPv4;
  return { assignedIPv4, availableIPv4, assignedIPv6: 0, availableIPv6: 0 };
}

function poolObject(name: string, has: unknown, resourceVersion = "1"): OwnedObject {
  const object = decodeOwnedObject({ metadata: { name, resourceVersion }, status: has });
  assert.ok(object !== null);
  return object;
}

for (const { name, has, expected } of [
  { name: "without a status", has: undefined, expected: [status(1)] },
  { name: "whose status is garbage", has: "full", expected: [status(1)] },
  { name: "with the status of before", has: status(0), expected: [status(1)] },
  { name: "with one field of it", has: { assignedIPv4: 1 }, expected: [status(1)] },
  { name: "that says so already", has: status(1), expected: [] },
]) {
  test(`statusesToWrite() of a pool ${name}: ${expected.length === 0 ? "none" : "one"}`, () => {
    const writes = statusesToWrite([usage("lan", 1)], [poolObject("lan", has)]);
    assert.deepEqual(
      writes.map((write) => write.status),
      expected,
    );
  });
}

test("statusesToWrite() leaves a pool alone that is not in use, as of a bad configuration", () => {
  assert.deepEqual(statusesToWrite([], [poolObject("lan", undefined)]), []);
});

test("statusesToWrite() of the old ConfigMap's pools, which are no objects: none", () => {
  assert.deepEqual(statusesToWrite([usage("old", 1)], []), []);
});

/** A leader and an API, by hand; `task.look()` is a second that has passed. */
function bench() {
  const api = { version: 1, keeps: true, refuses: false };
  const seen: { pool: OwnedObject; used: number | null; now: number } = {
    pool: poolObject("lan", undefined),
    used: 0,
    now: 0,
  };
  const writes: PoolStatus[] = [];
  const failures: string[] = [];
  const task = new PoolStatusTask({
    clock: { boot: () => bootMs(seen.now), wall: () => wallMs(0) },
    usage: () => (seen.used === null ? null : [usage("lan", seen.used)]),
    pools: () => [seen.pool],
    write: async (name, value) => {
      writes.push(value);
      if (api.refuses) return failed("forbidden", "no permission");
      api.version += 1;
      return success(poolObject(name, api.keeps ? value : undefined, String(api.version)));
    },
    onFailure: ({ message }) => void failures.push(message),
  });
  const look = async (milliseconds = 1_000): Promise<number> => {
    seen.now += milliseconds;
    task.look();
    await turn();
    return writes.splice(0).length;
  };
  return { api, seen, look, failures };
}

test("who does not allocate writes nothing", async () => {
  const { seen, look } = bench();
  seen.used = null;
  assert.equal(await look(), 0);
});

test("a status is written once, though the watch shows it late", async () => {
  const { seen, look } = bench();
  assert.equal(await look(), 1);
  assert.equal(await look(), 0, "the watch is still at the version of before");
  seen.pool = poolObject("lan", status(0), "2");
  assert.equal(await look(), 0);
});

test("a thousand changes within a second are one write", async () => {
  const { seen, look } = bench();
  for (let used = 0; used < 10; used++) seen.used = used;
  assert.equal(await look(), 1);
});

test("a status that is edited by hand is put right, as soon as that is seen", async () => {
  const { seen, look } = bench();
  await look();
  seen.pool = poolObject("lan", status(9), "3");
  assert.equal(await look(), 1);
});

test("a permission that is missing is told once, and tried again rarely", async () => {
  const { api, look, failures } = bench();
  api.refuses = true;
  assert.equal(await look(), 1);
  assert.equal(await look(), 0);
  assert.equal(await look(10_000), 1);
  assert.deepEqual(failures, ["no permission"]);
});

test("a definition that drops the fields makes no storm of writes, and is told", async () => {
  const { api, seen, look, failures } = bench();
  api.keeps = false;
  assert.equal(await look(), 1);
  seen.pool = poolObject("lan", undefined, "2");
  assert.equal(await look(), 0);
  assert.match(failures[0] ?? "", /does not keep its fields; kubectl apply -f deploy\/crds\.yaml/);
});
