// Tests of what lbd leaves to another load balancer: MetalLB while it runs, and somebody who writes
// into the same statuses; when it begins, when it ends, and what is not known.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type BootMs, bootMs } from "../../../src/core/time.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { Overwrites } from "../../../src/daemon/overwrites.ts";
import { Rivals } from "../../../src/daemon/rivals.ts";
import { clusterOf, node, service } from "../../support/kubernetes-objects.ts";
import { controllerObject, speakerObject } from "../../support/metallb-objects.ts";

const NOT_HERE = { pod: { nodeSelector: { rack: "b" } } };

function harness() {
  const state = {
    deployments: [] as object[] | string,
    daemonSets: [] as object[] | string,
    now: 0,
    changes: 0,
    told: [] as string[],
    /** What the node Lease said when it was to be written anew. */
    answers: [] as string[],
    labels: { rack: "a" } as Record<string, string>,
    looks: 0,
  };
  const answer = (items: object[] | string) =>
    typeof items === "string"
      ? { ok: false as const, failure: { kind: items as "forbidden", message: "Cannot list" } }
      : { ok: true as const, value: { metadata: { resourceVersion: "1" }, items } };
  const rivals: Rivals = new Rivals({
    client: {
      request: async ({ path }) => {
        if (path.endsWith("/daemonsets")) state.looks += 1;
        return answer(
          path.endsWith("/deployments") ? state.deployments : state.daemonSets,
        ) as never;
      },
    },
    file: { nodeName: "n1", namespace: "metallb-system", mode: "active" },
    clock: { boot: () => bootMs(state.now) },
    log: createLogger("silent", {}),
    cluster: {
      get nodes() {
        return clusterOf({ nodes: [node("n1", { labels: state.labels })] }).nodes;
      },
    },
    tellResponder: (message) => {
      if (message.type === "mute") state.told.push(message.isMuted ? "muted" : "unmuted");
    },
    tellOwnership: ({ type }) => {
      if (type === "presence-changed") state.answers.push(rivals.answers);
    },
    onChange: () => {
      state.changes += 1;
    },
  });
  return { rivals, state };
}

test("before the first look no address is given; after it, when nobody else is there", async () => {
  const { rivals, state } = harness();
  assert.equal(rivals.mayAllocate, false);
  assert.match(rivals.whyNotAllocating ?? "", /not known yet/);
  await rivals.look();
  assert.deepEqual([rivals.mayAllocate, state.changes, state.told], [true, 1, []]);
  assert.deepEqual([rivals.whyNotAllocating, rivals.whyMuted], [null, null]);
  assert.deepEqual(rivals.findings(), []);
});

test("a controller at work gets the addresses to itself, until it is not seen twice", async () => {
  const { rivals, state } = harness();
  await rivals.look();
  state.deployments = [controllerObject()];
  await rivals.look();
  assert.deepEqual([rivals.mayAllocate, state.changes], [false, 2]);
  const [finding] = rivals.findings();
  assert.match(finding?.cause ?? "", /Deployment "metallb-system\/controller" has 1 available pod/);
  assert.match(finding?.next ?? "", /kubectl scale deployment controller -n metallb-system/);
  assert.equal(
    rivals.whyNotAllocating,
    "addresses are left to MetalLB's controller, which is at work: " +
      'Deployment "metallb-system/controller" has 1 available pod',
  );
  state.deployments = [controllerObject({ available: 0 })];
  await rivals.look();
  assert.equal(rivals.mayAllocate, false, "its pod may still be on its way out");
  await rivals.look();
  assert.deepEqual([rivals.mayAllocate, state.changes, rivals.findings()], [true, 3, []]);
  assert.deepEqual(state.told, [], "who answers is another question");
});

test("a speaker on this node answers alone, and what lbd would announce is not told", async () => {
  const { rivals, state } = harness();
  state.daemonSets = [speakerObject()];
  await rivals.look();
  assert.deepEqual([state.told, rivals.mayAllocate], [["muted"], true]);
  assert.deepEqual(
    ["Announce", "Allocate"].map((action) => rivals.allows({ action })),
    [false, true],
  );
  assert.match(rivals.findings()[0]?.what ?? "", /speaker runs on this node/);
  assert.match(
    rivals.whyMuted ?? "",
    /^this node leaves it to MetalLB's speaker, .*"metallb-system/,
  );
  assert.equal(rivals.whyNotAllocating, null, "who gives addresses is another question");
  state.daemonSets = [speakerObject({ pod: { nodeSelector: { rack: "b" } } })];
  await rivals.look();
  await rivals.look();
  assert.deepEqual(
    [state.told, rivals.allows({ action: "Announce" })],
    [["muted", "unmuted"], true],
  );
});

test("a node that answers goes on while speakers of other nodes are about to change", async () => {
  const { rivals, state } = harness();
  state.daemonSets = [speakerObject(NOT_HERE)];
  await rivals.look();
  state.daemonSets = [speakerObject({ ...NOT_HERE, isObserved: false })];
  await rivals.look();
  assert.deepEqual([state.told, rivals.answers], [[], "yes"]);
});

test("the node Lease is written anew when the node begins to answer, or ends", async () => {
  const { rivals, state } = harness();
  assert.match(rivals.answers, /^no: it has not looked yet/);
  await rivals.look();
  state.daemonSets = [speakerObject()];
  await rivals.look();
  state.labels = { rack: "b" };
  state.daemonSets = [speakerObject({ pod: { nodeSelector: { rack: "a" } } })];
  for (let look = 0; look < 4; look++) await rivals.look();
  assert.deepEqual(state.answers, ["yes", "no: MetalLB's speaker runs on this node", "yes"]);
});

const NEXT_LOOKS: readonly (readonly [name: string, found: object[], waitMs: number])[] = [
  ["a controller that is scaled to 0", [controllerObject({ replicas: 0 })], 1_000],
  ["a controller that is gone", [], 1_000],
  ["a controller that is about to change", [controllerObject({ isObserved: false })], 1_000],
  ["a controller whose pod is to come back", [controllerObject({ available: 0 })], 10_000],
  ["a controller that stays", [controllerObject()], 10_000],
  ["a speaker that is for other nodes now", [speakerObject(NOT_HERE)], 1_000],
  ["a speaker that is gone", [], 1_000],
  ["a speaker that is about to change", [speakerObject({ isObserved: false })], 1_000],
  ["a speaker whose pod is to come back", [speakerObject({ available: 0 })], 10_000],
  ["a speaker that stays", [speakerObject()], 10_000],
];

for (const [name, found, waitMs] of NEXT_LOOKS) {
  test(`after ${name} the next look is in ${waitMs / 1_000} s`, async () => {
    const { rivals, state } = harness();
    const isSpeaker = name.includes("speaker");
    if (isSpeaker) state.daemonSets = [speakerObject()];
    else state.deployments = [controllerObject()];
    await rivals.look();
    assert.equal(rivals.nextLookMs, 10_000);
    state[isSpeaker ? "daemonSets" : "deployments"] = found;
    await rivals.look();
    assert.equal(rivals.nextLookMs, waitMs);
  });
}

test("what is about to go for more than a minute is looked at every 10 s again", async () => {
  const { rivals, state } = harness();
  state.daemonSets = [speakerObject({ isObserved: false })];
  for (let look = 0; look < 60; look++) {
    await rivals.look();
    assert.equal(rivals.nextLookMs, 1_000);
  }
  await rivals.look();
  assert.equal(rivals.nextLookMs, 10_000);
  state.daemonSets = [speakerObject()];
  await rivals.look();
  state.daemonSets = [speakerObject({ isObserved: false })];
  await rivals.look();
  assert.equal(rivals.nextLookMs, 1_000, "another change has its own minute");
});

test("a label of this node that changes is looked into at once, and in a second", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rivals, state } = harness();
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await turn();
  };
  state.daemonSets = [speakerObject({ pod: { nodeSelector: { rack: "a" } } })];
  const abort = new AbortController();
  const running = rivals.run(abort.signal);
  await settle();
  rivals.nodesChanged();
  await settle();
  assert.deepEqual([state.looks, state.told], [1, ["muted"]], "nothing of it has changed");
  state.labels = { rack: "b" };
  rivals.nodesChanged();
  await settle();
  assert.deepEqual([state.looks, state.told], [2, ["muted"]]);
  t.mock.timers.tick(1_000);
  await settle();
  assert.deepEqual([state.looks, state.told], [3, ["muted", "unmuted"]]);
  abort.abort();
  await running;
});

test("a look that fails changes nothing: neither what is left alone nor what is done", async () => {
  const { rivals, state } = harness();
  state.deployments = [controllerObject()];
  state.daemonSets = [speakerObject()];
  await rivals.look();
  state.deployments = "unreachable";
  state.daemonSets = "unreachable";
  for (let look = 0; look < 5; look++) await rivals.look();
  assert.deepEqual([rivals.mayAllocate, state.told], [false, ["muted"]]);
});

test("without the permission to look lbd does its work, and notes that", async () => {
  const { rivals, state } = harness();
  state.deployments = "forbidden";
  state.daemonSets = "forbidden";
  await rivals.look();
  assert.equal(rivals.mayAllocate, true);
  const [finding] = rivals.findings();
  assert.deepEqual([finding?.health, finding?.next], ["ok", "kubectl apply -f deploy/rbac.yaml"]);
});

test("who overwrites a status each time it is written gets five minutes without us", async () => {
  const { rivals, state } = harness();
  await rivals.look();
  for (let round = 0; round < 10; round++) {
    rivals.written(service("shop/web", { ips: ["10.0.0.1"] }));
    state.now += 1_000;
    rivals.aboutToWrite(service("shop/web", { ips: ["10.9.9.9"] }));
  }
  await turn();
  assert.deepEqual([rivals.mayAllocate, state.changes], [false, 2]);
  assert.match(rivals.findings()[0]?.next ?? "", /kubectl get service web -n shop/);
  assert.match(rivals.whyNotAllocating ?? "", /somebody else overwrites the status of "shop\/web"/);
  state.now += 300_000;
  await rivals.look();
  assert.deepEqual([rivals.mayAllocate, state.changes], [true, 3]);
});

interface Round {
  readonly ours?: string;
  readonly found: string;
  readonly asked?: object;
  readonly waitMs?: number;
}

const ROUNDS: readonly (readonly [name: string, rounds: readonly Round[], isRival: boolean])[] = [
  ["what was written itself", Array(20).fill({ found: "10.0.0.1" }), false],
  ["nine edits by hand", Array(9).fill({ found: "10.9.9.9" }), false],
  ["edits long after", Array(20).fill({ found: "10.9.9.9", waitMs: 11_000 }), false],
  ["edits once in a while", Array(20).fill({ found: "10.9.9.9", waitMs: 9_000 }), false],
  [
    "a Service that asks for something else each time",
    Array.from({ length: 20 }, (_, i) => ({ found: "", asked: { loadBalancerIP: `10.0.0.${i}` } })),
    false,
  ],
  ["ten edits at once", Array(10).fill({ found: "10.9.9.9" }), true],
  ["a type that changes and back", Array(20).fill({ found: "" }), false],
];

for (const [name, rounds, isRival] of ROUNDS) {
  test(`Overwrites takes ${name} for ${isRival ? "a rival" : "no rival"}`, () => {
    const overwrites = new Overwrites();
    let now = 0 as BootMs;
    for (const { found, asked = {}, waitMs = 100 } of rounds) {
      overwrites.written(service("shop/web", { ips: ["10.0.0.1"] }), now);
      now = bootMs(now + waitMs);
      const ips = found === "" ? [] : [found];
      overwrites.aboutToWrite(service("shop/web", { ips, spec: asked as never }), now);
    }
    assert.equal(overwrites.rival(now) !== null, isRival);
  });
}

test("Overwrites does not add up what happens to different Services", () => {
  const overwrites = new Overwrites();
  for (const name of ["a", "b", "c", "d"]) {
    overwrites.written(service(`shop/${name}`, { ips: ["10.0.0.1"] }), bootMs(0));
    overwrites.aboutToWrite(service(`shop/${name}`, { ips: ["10.9.9.9"] }), bootMs(1));
  }
  assert.equal(overwrites.rival(bootMs(1)), null);
});

test("Overwrites takes who leaves the address to a proxy, again and again, for a rival", () => {
  const overwrites = new Overwrites();
  const ours = service("shop/web", { ips: ["10.0.0.1"] });
  const theirs = { ...ours, status: { ingress: [{ ip: "10.0.0.1", ipMode: "Proxy" }] } };
  for (let time = 0; time < 10; time++) {
    overwrites.written(ours, bootMs(1_000 * time));
    overwrites.aboutToWrite(theirs, bootMs(1_000 * time + 1));
  }
  assert.equal(overwrites.rival(bootMs(9_001)), "shop/web");
});

test("Overwrites takes a Service that is created anew, again and again, for no rival", () => {
  const overwrites = new Overwrites();
  const born = (uid: string, ips: readonly string[]) => {
    const one = service("shop/web", { ips });
    return { ...one, metadata: { ...one.metadata, uid } };
  };
  for (let time = 0; time < 20; time++) {
    overwrites.aboutToWrite(born(`${time}`, []), bootMs(1_000 * time));
    overwrites.written(born(`${time}`, ["10.0.0.1"]), bootMs(1_000 * time));
  }
  assert.equal(overwrites.rival(bootMs(5_000)), null);
});
