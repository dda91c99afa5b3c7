// Tests of how the objects of a cluster are read when nodes are taken over from MetalLB.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImportPlan } from "../../../src/migration/import-plan.ts";
import { objections } from "../../../src/migration/objections.ts";
import {
  announcedOf,
  controllerOf,
  decodeFound,
  type Found,
  markOf,
  speakerOf,
  speakerPodOf,
} from "../../../src/migration/takeover-objects.ts";
import type { TakeoverState } from "../../../src/migration/takeover-state.ts";
import { endText, movesText } from "../../../src/migration/takeover-texts.ts";
import { controllerObject, speakerObject } from "../../support/metallb-objects.ts";
import { controllerState, nodeState, takeoverState } from "../../support/takeover.ts";

function found(raw: object): Found {
  return decodeFound(raw) ?? assert.fail("no object");
}

test("controllerOf() has replicas asked for and there, and what was noted", () => {
  const annotations = { "lbd-migration/replicas": "3" };
  const raw = controllerObject({ replicas: 0, available: 1, annotations });
  const expected = { name: "controller", replicas: 0, pods: 1, available: 1, noted: 3 };
  assert.deepEqual(controllerOf(found(raw)), expected);
  const { noted, replicas } = controllerOf(found({ metadata: { name: "controller" } }));
  assert.deepEqual([noted, replicas], [null, 1]);
});

test("speakerOf() has whether it runs by label, and whether that is acted on", () => {
  const pod = { nodeSelector: { "lbd-migration/speaker": "yes", "kubernetes.io/os": "linux" } };
  assert.deepEqual(
    [speakerObject(), speakerObject({ pod, isObserved: false })].map((raw) =>
      speakerOf(found(raw)),
    ),
    [
      { name: "speaker", isChanging: false, isRestricted: false },
      { name: "speaker", isChanging: true, isRestricted: true },
    ],
  );
});

const MARKS: readonly (readonly [label: string | null, isTaken: boolean, mark: string | null])[] = [
  [null, false, null],
  [null, true, null],
  ["yes", false, "yes"],
  ["yes", true, "returning"],
  ["no", false, "none"],
  ["no", true, "taken"],
];

for (const [label, isTaken, mark] of MARKS) {
  test(`markOf() label ${label}, ${isTaken ? "" : "not "}taken over, is ${mark}`, () => {
    const labels = label === null ? {} : { "lbd-migration/speaker": label };
    const annotations = isTaken ? { "lbd-migration/taken-over": "yes" } : {};
    assert.equal(markOf(found({ metadata: { name: "n1", labels, annotations } }).metadata), mark);
  });
}

function pod(changes: { metadata?: object; spec?: object; status?: object } = {}): Found {
  const ownerReferences = [{ apiVersion: "apps/v1", kind: "DaemonSet", name: "s", uid: "u-1" }];
  return found({
    metadata: { name: "speaker-x", ownerReferences, ...changes.metadata },
    spec: { nodeName: "n1", ...changes.spec },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "True" }],
      ...changes.status,
    },
  });
}

const other = { ownerReferences: [{ kind: "DaemonSet", name: "s", uid: "u-2" }] };

const PODS: readonly (readonly [name: string, pod: Found, expected: string | null])[] = [
  ["that runs", pod(), "ready"],
  ["that is not ready", pod({ status: { conditions: [] } }), "there"],
  ["that is on its way out", pod({ metadata: { deletionTimestamp: "2026-01-01" } }), "there"],
  ["that has ended", pod({ status: { phase: "Failed" } }), null],
  ["that is nowhere yet", pod({ spec: { nodeName: "" } }), null],
  ["of another DaemonSet", pod({ metadata: other }), null],
  ["of nobody", pod({ metadata: { ownerReferences: [] } }), null],
];

for (const [name, one, expected] of PODS) {
  test(`speakerPodOf() a pod ${name} is ${expected ?? "none"}`, () => {
    const read = speakerPodOf(one, "u-1");
    assert.equal(read && (read.isReady ? "ready" : "there"), expected);
  });
}

test("announcedOf() has what a Pod says of each address, and who owns it by lbd's Leases", () => {
  const status = (name: string, kind: string) => {
    const metadata = { name: `l2-${name}`, ownerReferences: [{ kind, name: "x" }] };
    return found({ metadata, status: { node: "n1", serviceName: name, serviceNamespace: "a" } });
  };
  const service = (name: string, ...ips: string[]) => {
    const ingress = ips.map((ip) => ({ ip }));
    return found({ metadata: { name, namespace: "a" }, status: { loadBalancer: { ingress } } });
  };
  const lease = (name: string, holderIdentity: string) =>
    found({ metadata: { name }, spec: { holderIdentity } });
  const announced = announcedOf(
    [status("web", "Pod"), status("dns", "Pod"), status("ours", "Node"), status("gone", "Pod")],
    [
      service("web", "10.0.0.1", "fd00::1"),
      service("dns", "10.0.0.2"),
      service("ours", "10.0.0.3"),
    ],
    [
      lease("lbd-vip-10.0.0.1", "n2"),
      lease("lbd-vip-fd00-0000-0000-0000-0000-0000-0000-0001", "n1"),
      lease("lbd-vip-10.0.0.2", ""),
    ],
  );
  assert.deepEqual(
    announced.map(({ service: key, address, speaker, owner }) => [key, address, speaker, owner]),
    [
      ["a/web", "10.0.0.1", "n1", "n2"],
      ["a/web", "fd00::1", "n1", "n1"],
      ["a/dns", "10.0.0.2", "n1", null],
    ],
  );
  assert.deepEqual(movesText(takeoverState({ announced })), [
    "1 will change its node: 10.0.0.1 (n1 to n2); lbctl move changes lbd's owner",
  ]);
});

const PLAN: ImportPlan = {
  found: [],
  settings: [],
  traps: [],
  takeover: [],
  rollBack: [],
  unread: [],
};
const TRAP = { what: "It would break", why: "so", next: "mend it", remedies: [] };

test("objections() are traps that lose something, what is not known, what is not kept", () => {
  assert.deepEqual(objections(PLAN, []), []);
  assert.deepEqual(objections({ ...PLAN, traps: [TRAP] }, []), []);
  const against = objections(
    { ...PLAN, traps: [{ ...TRAP, isLosing: true }], unread: ["Cannot list x"] },
    ["a/b", "a/c"],
  );
  assert.deepEqual(against, [
    "It would break; next: mend it",
    "it cannot be told what would be lost: Cannot list x",
    "Service a/b and 1 more would not keep its addresses; next: lbctl plan shadow",
  ]);
  assert.match(objections(PLAN, null).join(), /cannot be told: run it on a node/);
});

const TAKEN = { mark: "taken", pods: 0, ready: 0, lbd: { kind: "answers" } } as const;
const SCALED = controllerState({ replicas: 0, pods: 0, available: 0 });

const ENDS: readonly (readonly [
  name: string,
  state: TakeoverState,
  direction: "over" | "back",
  words: RegExp,
])[] = [
  [
    "over, all of it",
    takeoverState({ nodes: [nodeState("n1", TAKEN)] }),
    "over",
    /^MetalLB answers nowhere, and gives no addresses$/,
  ],
  [
    "over, a part",
    takeoverState({ nodes: [nodeState("n1", TAKEN), nodeState("n2", { mark: "yes" })] }),
    "over",
    /^left to MetalLB: n2$/,
  ],
  [
    "over, and an lbd that is gone since",
    takeoverState({ nodes: [nodeState("n1", { ...TAKEN, lbd: { kind: "absent" } })] }),
    "over",
    /lbd does not answer on: n1$/,
  ],
  [
    "over, without MetalLB",
    takeoverState({ controller: null, speaker: null }),
    "over",
    /^MetalLB is not in "metallb-system"$/,
  ],
  ["back, all of it", takeoverState(), "back", /^MetalLB is as it was before$/],
  [
    "back, a part",
    takeoverState({ nodes: [nodeState("n1", TAKEN), nodeState("n2", { mark: "yes" })] }),
    "back",
    /^still lbd's: n1$/,
  ],
  [
    "back, with a controller that somebody else scaled",
    takeoverState({ controller: SCALED }),
    "back",
    /kubectl scale deployment controller -n metallb-system --replicas=1$/,
  ],
];

for (const [name, state, direction, words] of ENDS) {
  test(`endText() of the way ${name}`, () => {
    assert.match(endText(state, direction).join("\n"), words);
  });
}
