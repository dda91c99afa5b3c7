// Tests of what ConfigurationStates say, and since when.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigProblem } from "../../../src/config/cluster-config.ts";
import { wallMs } from "../../../src/core/time.ts";
import type { ConfigVerdict } from "../../../src/daemon/configuration-state.ts";
import {
  ConfigurationStates,
  isOfGoneNode,
  summaryOf,
} from "../../../src/daemon/configuration-state.ts";
import type { WantedObject } from "../../../src/daemon/status-object.ts";
import { decodeOwnedObject } from "../../../src/k8s-sync/decode.ts";
import type { OwnedObject } from "../../../src/k8s-sync/model.ts";
import { node } from "../../support/kubernetes-objects.ts";

function problem(name: string, found = '"x"'): ConfigProblem {
  const object = { kind: "IPAddressPool", namespace: "metallb-system", name };
  return { object, where: `IPAddressPool "${name}"`, found, expected: "a range" };
}

const VALID: ConfigVerdict = { isCurrent: true, problems: [] };
const INVALID: ConfigVerdict = { isCurrent: false, problems: [problem("a"), problem("b")] };
const UNREAD: ConfigVerdict = { isCurrent: false, problems: [] };
const NOTHING = { actual: () => undefined, now: wallMs(Date.UTC(2026, 0, 1, 0, 0, 0, 750)) };
const LATER = wallMs(Date.UTC(2026, 0, 2));

function conditionOf({ status }: WantedObject): Record<string, unknown> {
  const [condition] = status.conditions as Record<string, unknown>[];
  assert.ok(condition !== undefined);
  return condition;
}

function stateOf(verdict: ConfigVerdict, component: "speaker" | "controller" = "speaker") {
  return new ConfigurationStates().wanted({ component, node: node("n1") }, verdict, NOTHING);
}

/** As the API has what was wanted. */
function stored({ name, labels, owner, status }: WantedObject): OwnedObject {
  const object = decodeOwnedObject({
    metadata: { name, labels, ownerReferences: [owner] },
    status,
  });
  assert.ok(object !== null);
  return object;
}

test("wanted() of a daemon: by its node's name, with labels that say so", () => {
  const { name, labels, owner } = stateOf(VALID);
  assert.equal(name, "speaker-n1");
  assert.equal(owner.name, "n1");
  assert.deepEqual(labels, {
    "metallb.io/component-type": "speaker",
    "metallb.io/node-name": "n1",
  });
});

test("wanted() of the leader: one name for all leaders, of no node in particular", () => {
  const { name, labels } = stateOf(VALID, "controller");
  assert.equal(name, "controller");
  assert.deepEqual(labels, { "metallb.io/component-type": "controller" });
});

for (const { verdict, result, status, reason } of [
  { verdict: VALID, result: "Valid", status: "True", reason: "Reconciled" },
  { verdict: INVALID, result: "Invalid", status: "False", reason: "ConfigurationError" },
  { verdict: UNREAD, result: "Unknown", status: "Unknown", reason: "UnknownError" },
]) {
  test(`wanted() of a configuration that is ${result}: ${status}, ${reason}`, () => {
    const state = stateOf(verdict);
    const { type, ...condition } = conditionOf(state);
    assert.equal(state.status.result, result);
    assert.equal(type, "configReconcilerValid");
    assert.deepEqual([condition.status, condition.reason], [status, reason]);
    assert.equal(condition.lastTransitionTime, "2026-01-01T00:00:00Z");
    assert.equal(conditionOf(stateOf(verdict, "controller")).type, "poolReconcilerValid");
  });
}

test("wanted() of an invalid configuration names every problem, one a line", () => {
  const expected = 'IPAddressPool "a": found "x", expected a range\n';
  assert.equal(stateOf(INVALID).status.errorSummary, expected + expected.trim().replace("a", "b"));
  assert.equal(stateOf(VALID).status.errorSummary, "");
});

test("wanted() tells when the verdict began, and begins anew with another one only", () => {
  const states = new ConfigurationStates();
  const n1 = { component: "speaker", node: node("n1") } as const;
  const at = (verdict: ConfigVerdict, now = LATER) =>
    conditionOf(states.wanted(n1, verdict, { ...NOTHING, now })).lastTransitionTime;
  const [first, second] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];
  assert.equal(at(VALID, NOTHING.now), first);
  assert.equal(at(VALID), first);
  assert.equal(at(INVALID), second);
  const other = { isCurrent: false, problems: [problem("c")] };
  assert.equal(at(other, NOTHING.now), second, "other problems, and the same verdict");
});

test("wanted() of a daemon that is started anew goes on from what the API has", () => {
  const before = stored(stateOf(VALID));
  const n1 = { component: "speaker", node: node("n1") } as const;
  const context = { actual: () => before, now: LATER };
  const at = (verdict: ConfigVerdict) =>
    conditionOf(new ConfigurationStates().wanted(n1, verdict, context)).lastTransitionTime;
  assert.equal(at(VALID), "2026-01-01T00:00:00Z");
  assert.equal(at(INVALID), "2026-01-02T00:00:00Z");
});

test("wanted() keeps its time when somebody edits it", () => {
  const states = new ConfigurationStates();
  const n1 = { component: "speaker", node: node("n1") } as const;
  const made = states.wanted(n1, VALID, NOTHING);
  const lastTransitionTime = "1999-01-01T00:00:00Z";
  const edited = { ...made.status, conditions: [{ ...conditionOf(made), lastTransitionTime }] };
  const context = { actual: () => stored({ ...made, status: edited }), now: LATER };
  assert.deepEqual(states.wanted(n1, VALID, context), made);
});

test("wanted() of garbage in the API does not fail", () => {
  for (const status of [null, 5, { conditions: "x" }, { conditions: [null] }]) {
    const object = decodeOwnedObject({ metadata: { name: "speaker-n1" }, status });
    const context = { actual: () => object ?? undefined, now: LATER };
    const n1 = { component: "speaker", node: node("n1") } as const;
    assert.equal(new ConfigurationStates().wanted(n1, VALID, context).status.result, "Valid");
  }
});

test("summaryOf() ten thousand problems is bounded, and says how many there are more", () => {
  const problems = Array.from({ length: 10_000 }, (_, i) => problem(`pool-${i}`));
  const summary = summaryOf(problems);
  assert.ok(summary.length <= 16_384, `${summary.length}`);
  const shown = summary.split("\n").length - 1;
  assert.match(summary, new RegExp(`\nand ${10_000 - shown} more: lbctl status -o json$`));
});

test("summaryOf() a problem that is longer than all may be is cut", () => {
  const [long, short] = [problem("a", "x".repeat(20_000)), problem("b")];
  for (const problems of [[long], [long, short], [short, long]]) {
    const summary = summaryOf(problems);
    assert.ok(summary.length > 0 && summary.length <= 16_384, `${summary.length}`);
  }
});

test("isOfGoneNode() is about daemons of Nodes that do not exist, and never the leader", () => {
  const states = new ConfigurationStates();
  const of = (component: "speaker" | "controller") =>
    stored(states.wanted({ component, node: node("n1") }, VALID, NOTHING));
  assert.equal(isOfGoneNode(of("speaker"), ["n1", "n2"]), false);
  assert.equal(isOfGoneNode(of("speaker"), ["n2"]), true);
  assert.equal(isOfGoneNode(of("controller"), []), false);
});
