// Tests of whether MetalLB is at work, by its Deployment and DaemonSet, as a table of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { metallbAtWork } from "../../../src/daemon/metallb-workloads.ts";
import { decodeWorkload } from "../../../src/k8s-sync/workloads.ts";
import { controllerObject, speakerObject } from "../../support/metallb-objects.ts";

const NODE = { name: "n1", labels: { rack: "a", cpus: "8" }, mayHaveSpeaker: true };

function atWork(
  deployments: readonly object[],
  daemonSets: readonly object[],
  { node = NODE, ownClass }: { readonly node?: typeof NODE; readonly ownClass?: string } = {},
) {
  const decoded = [
    ...deployments.map((raw) => decodeWorkload(raw, "Deployment")),
    ...daemonSets.map((raw) => decodeWorkload(raw, "DaemonSet")),
  ];
  return metallbAtWork(
    decoded.filter((one) => one !== null),
    node,
    ownClass,
  );
}

const CONTROLLERS: readonly (readonly [name: string, object: object, isAtWork: boolean])[] = [
  ["without an available pod", controllerObject({ available: 0 }), false],
  ["of something else", controllerObject({ labels: { "app.kubernetes.io/name": "nginx" } }), false],
  ["of another component", controllerObject({ labels: { app: "metallb", component: "x" } }), false],
  ["without a status", { ...controllerObject(), status: {} }, false],
  ["of a class", controllerObject({ arguments: ["--lb-class=example.com/metal"] }), false],
  ["of a class, as two words", controllerObject({ arguments: ["--lb-class", "metal"] }), false],
  ["of no class", controllerObject({ arguments: ["--port=7472", "--lb-class="] }), true],
  ["of the chart", controllerObject(), true],
  ["of the old manifests", controllerObject({ labels: { app: "metallb" } }), true],
];

for (const [name, object, isAtWork] of CONTROLLERS) {
  test(`a controller ${name} is ${isAtWork ? "" : "not "}at work`, () => {
    assert.equal(atWork([object], []).controller !== null, isAtWork);
    assert.equal(atWork([object], []).speaker, null);
  });
}

function affinity(...terms: object[]): { pod: Record<string, unknown> } {
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } };
  return { pod: { affinity: { nodeAffinity: required } } };
}

const rack = (operator: string, ...values: string[]) => ({
  matchExpressions: [{ key: "rack", operator, values }],
});
const byName = (operator: string, name: string) => ({
  matchFields: [{ key: "metadata.name", operator, values: [name] }],
});
const cpus = (operator: string, count: string) => ({
  matchExpressions: [{ key: "cpus", operator, values: [count] }],
});

const SPEAKERS: readonly (readonly [name: string, object: object, isHere: boolean])[] = [
  ["without an available pod", speakerObject({ available: 0 }), false],
  ["for other labels", speakerObject({ pod: { nodeSelector: { rack: "b" } } }), false],
  ["whose affinity wants another rack", speakerObject(affinity(rack("In", "b"))), false],
  ["whose affinity leaves the rack out", speakerObject(affinity(rack("NotIn", "a"))), false],
  ["whose affinity leaves the node out", speakerObject(affinity(byName("NotIn", "n1"))), false],
  ["whose affinity wants more cores", speakerObject(affinity(cpus("Gt", "8"))), false],
  ["for nodes without the label", speakerObject(affinity(rack("DoesNotExist"))), false],
  ["whose term is empty", speakerObject(affinity({})), false],
  ["of every node", speakerObject(), true],
  ["for the node's label", speakerObject({ pod: { nodeSelector: { rack: "a" } } }), true],
  ["with one term of two", speakerObject(affinity(rack("In", "b"), rack("Exists"))), true],
  ["that wants the node by name", speakerObject(affinity(byName("In", "n1"))), true],
  ["that wants few cores", speakerObject(affinity(cpus("Lt", "9"))), true],
  ["with an operator to come", speakerObject(affinity(rack("Resembles", "b"))), true],
  [
    "that was told to leave the node, and has not yet",
    speakerObject({ pod: { nodeSelector: { rack: "b" } }, isObserved: false }),
    true,
  ],
];

for (const [name, object, isHere] of SPEAKERS) {
  test(`a speaker ${name} is ${isHere ? "" : "not "}on the node`, () => {
    assert.equal(atWork([], [object]).speaker !== null, isHere);
  });
}

const METAL = ["--lb-class=metal"];
const CLASSES: readonly (readonly [
  name: string,
  given: readonly string[],
  isObserved: boolean,
  found: boolean,
])[] = [
  ["of no class", [], true, false],
  ["of another class", ["--lb-class=metal2"], true, false],
  ["of its class", METAL, true, true],
  ["whose pods may still be of its class", [], false, true],
];

for (const [name, given, isObserved, found] of CLASSES) {
  test(`lbd with a class takes MetalLB ${name} ${found ? "" : "not "}for a rival`, () => {
    const options = { arguments: given, isObserved };
    const [controller, speaker] = [controllerObject(options), speakerObject(options)];
    const seen = atWork([controller], [speaker], { ownClass: "metal" });
    assert.deepEqual([seen.controller !== null, seen.speaker !== null], [found, found]);
  });
}

test("a change that has not been acted on brings no speaker to a node that had none", () => {
  const other = speakerObject({ pod: { nodeSelector: { rack: "b" } }, isObserved: false });
  const here = speakerObject({ pod: { nodeSelector: { rack: "a" } }, isObserved: false });
  const node = { ...NODE, mayHaveSpeaker: false };
  assert.equal(atWork([], [other], { node }).speaker, null);
  assert.notEqual(atWork([], [here], { node }).speaker, null);
});

test("a speaker is taken to be on a node of which nothing is known", () => {
  const selective = speakerObject({ pod: { nodeSelector: { rack: "b" } } });
  const unknown = { name: "n1", labels: null } as never;
  assert.match(
    atWork([], [selective], { node: unknown }).speaker?.reason ?? "",
    /^DaemonSet "metallb-system\/speaker/,
  );
});

test("decodeWorkload() reads anything", () => {
  for (const raw of [null, 3, {}, { metadata: {} }]) {
    assert.equal(decodeWorkload(raw, "Deployment"), null);
  }
  const metadata = { name: "x" };
  for (const spec of [null, [], { template: 3 }, { template: { spec: { containers: [3, {}] } } }]) {
    assert.equal(decodeWorkload({ metadata, spec }, "DaemonSet")?.available, 0);
  }
});
