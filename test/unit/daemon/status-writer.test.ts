// Tests of how many statuses are written at a time, in which order, and by whom.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { StatusWriter } from "../../../src/daemon/status-writer.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import { failed, type Outcome } from "../../../src/k8s-sync/outcome.ts";
import { service } from "../../support/kubernetes-objects.ts";

const CHANGE = { ingress: [{ ip: "10.0.0.1" }], annotations: {} };

/** An API that answers when it is told to, in the order in which it was asked. */
function harness() {
  const asked: string[] = [];
  const answers: ((outcome: Outcome<never>) => void)[] = [];
  const leading = { now: true };
  const request = ({ path }: ApiRequest): Promise<Outcome<never>> => {
    asked.push(path.split("/").at(-2) ?? "");
    return new Promise((resolve) => answers.push(resolve));
  };
  const client = { request } as unknown as ApiRequests;
  const writer = new StatusWriter({ client, isLeading: () => leading.now });
  const patch = (i: number) => writer.patch(service(`a/s${i}`), CHANGE);
  const answer = async (): Promise<void> => {
    answers.shift()?.(failed("timeout", "no answer"));
    await turn();
  };
  return { asked, leading, patch, answer };
}

test("StatusWriter has six writes under way, and the next with each answer, in order", async () => {
  const { asked, patch, answer } = harness();
  const all = Array.from({ length: 20 }, (_, i) => patch(i));
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
  await turn();
  assert.deepEqual(asked, names.slice(0, 6));
  await answer();
  assert.deepEqual(asked, names.slice(0, 7));
  for (let i = 1; i < 20; i++) await answer();
  assert.deepEqual(asked, names, "one that failed makes room, too");
  for (const outcome of await Promise.all(all)) assert.equal(outcome.ok, false);
  void patch(20);
  await turn();
  assert.deepEqual(asked.at(-1), "s20");
});

test("StatusWriter writes nothing that has its turn when another node leads", async () => {
  const { asked, leading, patch, answer } = harness();
  const all = Array.from({ length: 8 }, (_, i) => patch(i));
  await turn();
  leading.now = false;
  for (let i = 0; i < 6; i++) await answer();
  assert.equal(asked.length, 6);
  const last = (await Promise.all(all)).at(-1);
  assert.ok(last?.ok === false && last.failure.kind === "conflict");
  leading.now = true;
  for (let i = 8; i < 14; i++) void patch(i);
  await turn();
  assert.equal(asked.length, 12, "no place was lost");
});
