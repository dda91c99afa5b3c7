// Tests of what a leader does before it gives anything away: it writes to each Service that waits,
// so that nothing can arrive any more that was sent by who led before.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fence } from "../../../src/daemon/fence.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import type { ApiFailureKind } from "../../../src/k8s-sync/outcome.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";
import { service } from "../../support/kubernetes-objects.ts";

const ANNOTATION = "metallb.io/ip-allocated-from-pool";

/** What was written, and how often it was waited; each failure is what one write comes to. */
async function fenced(
  services: readonly Service[],
  { failures = [], turns = 99 }: { failures?: ApiFailureKind[]; turns?: number } = {},
) {
  const written: string[] = [];
  let pauses = 0;
  let left = turns;
  await fence({
    services: () => services,
    patch: async (one, { ingress, annotations }) => {
      assert.deepEqual(ingress, []);
      written.push(`${one.metadata.name} ${JSON.stringify(annotations[ANNOTATION])}`);
      const kind = failures.shift();
      return kind === undefined ? success(one) : failed(kind, "as the test says");
    },
    mayGoOn: () => left-- > 0,
    pause: async () => {
      pauses += 1;
    },
  });
  return { written, pauses };
}

const WAITING = service("shop/waiting");

test("fence() writes to those that wait for an address, and to no others", async () => {
  const { written, pauses } = await fenced([
    WAITING,
    service("shop/has", { ips: ["10.0.0.1"] }),
    service("shop/inner", { spec: { type: "ClusterIP" } }),
  ]);
  assert.deepEqual([written, pauses], [['waiting ""'], 0]);
});

test("fence() makes each write a change: an annotation that is there goes", async () => {
  const annotated = service("shop/stale", { annotations: { [ANNOTATION]: "lan" } });
  assert.deepEqual((await fenced([annotated])).written, ["stale null"]);
});

for (const kind of ["conflict", "not-found"] as const) {
  test(`fence() is content with ${kind}: what was sent before is refused as well`, async () => {
    assert.deepEqual(await fenced([WAITING], { failures: [kind] }), {
      written: ['waiting ""'],
      pauses: 0,
    });
  });
}

test("fence() writes again what did not arrive, and only that", async () => {
  const { written, pauses } = await fenced([WAITING, service("shop/other")], {
    failures: ["timeout"],
  });
  assert.deepEqual([written, pauses], [['waiting ""', 'other ""', 'waiting ""'], 1]);
});

test("fence() gives up a Service that cannot be written to: others wait for it", async () => {
  const failures: ApiFailureKind[] = Array(10).fill("server-error");
  assert.deepEqual((await fenced([WAITING], { failures })).written.length, 3);
});

test("fence() stops when this node leads no more", async () => {
  const failures: ApiFailureKind[] = Array(10).fill("timeout");
  assert.equal((await fenced([WAITING], { failures, turns: 2 })).written.length, 1);
  assert.equal((await fenced([WAITING], { turns: 0 })).written.length, 0);
});
