// Tests of who drains a node and for how long: through the real Store, over a restart, and told to
// ownership and responder once for each change.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { Drain } from "../../../src/daemon/drain.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import { Store } from "../../../src/store/store.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface Host {
  readonly store: Store;
  /** A daemon that starts on this host; what it tells goes to `told`. */
  readonly start: (options?: { drainOnCordon?: boolean }) => Drain;
  /** What was told since the last call. */
  readonly told: () => string[];
}

function host(t: TestContext): Host {
  const store = Store.open(join(tempDir(t), "state.db"), wallMs(0));
  t.after(() => store.close());
  const told: string[] = [];
  const start = ({ drainOnCordon = false } = {}): Drain => {
    const drain = new Drain({
      store,
      log: createLogger("silent", {}),
      drainOnCordon,
      tellOwnership: (event) =>
        void told.push(event.type === "drain" ? `drain ${event.force}` : event.type),
      tellResponder: (message) =>
        void told.push(message.type === "state" ? message.state : message.type),
    });
    drain.start();
    return drain;
  };
  return { store, start, told: () => told.splice(0) };
}

const shown = ({ cause, force }: Drain) => `${cause}${force ? ", forced" : ""}`;

test("Drain of a node that nobody drains tells nothing", (t) => {
  const { start, told } = host(t);
  const drain = start();
  drain.end();
  drain.setCordoned(false);
  assert.deepEqual([shown(drain), told()], ["null", []]);
});

test("ask() tells the peers that nothing is taken here before it hands anything over", (t) => {
  const { start, told } = host(t);
  const drain = start();
  drain.ask(false);
  assert.deepEqual([shown(drain), told()], ["requested", ["draining", "drain false"]]);
});

test("ask() said again is told once; with force, or without it again, is told anew", (t) => {
  const { start, told } = host(t);
  const drain = start();
  drain.ask(false);
  told();
  drain.ask(false);
  assert.deepEqual([shown(drain), told()], ["requested", []]);
  drain.ask(true);
  assert.deepEqual([shown(drain), told()], ["requested, forced", ["draining", "drain true"]]);
  drain.ask(false);
  assert.deepEqual([shown(drain), told()], ["requested", ["draining", "drain false"]]);
});

test("end() lets the node own again, and is told once", (t) => {
  const { start, told } = host(t);
  const drain = start();
  drain.ask(true);
  told();
  drain.end();
  assert.deepEqual([shown(drain), told()], ["null", ["live", "undrain"]]);
  drain.end();
  assert.deepEqual(told(), []);
});

for (const force of [false, true]) {
  test(`a drain ${force ? "by force" : "on request"} outlives a restart, until its end`, (t) => {
    const { start, told } = host(t);
    start().ask(force);
    told();
    const second = start();
    assert.deepEqual(told(), ["draining", `drain ${force}`]);
    assert.equal(shown(second), force ? "requested, forced" : "requested");
    second.end();
    told();
    assert.deepEqual([shown(start()), told()], ["null", []]);
  });
}

const SAVED: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["nothing", new Uint8Array()],
  ["garbage", Uint8Array.of(0xff, 0x00, 0xc3)],
  ["a word of a newer lbd", Buffer.from("asked-softly")],
];

for (const [name, bytes] of SAVED) {
  test(`start() with ${name} in the store: the node is not drained`, (t) => {
    const { store, start, told } = host(t);
    store.saveSetting("drain", bytes);
    assert.deepEqual([shown(start()), told()], ["null", []]);
  });
}

test("setCordoned() changes nothing unless the node file says that it drains", (t) => {
  const { start, told } = host(t);
  const drain = start({ drainOnCordon: false });
  drain.setCordoned(true);
  assert.deepEqual([shown(drain), told()], ["null", []]);
});

test("setCordoned() drains where that is configured, told once, and ends with the cordon", (t) => {
  const { start, told } = host(t);
  const drain = start({ drainOnCordon: true });
  drain.setCordoned(true);
  drain.setCordoned(true);
  assert.deepEqual([shown(drain), told()], ["cordoned", ["draining", "drain false"]]);
  drain.setCordoned(false);
  assert.deepEqual([shown(drain), told()], ["null", ["live", "undrain"]]);
});

test("a cordon is not remembered over a restart: the Node says it again", (t) => {
  const { start, told } = host(t);
  start({ drainOnCordon: true }).setCordoned(true);
  told();
  assert.deepEqual([shown(start({ drainOnCordon: true })), told()], ["null", []]);
});

test("a drain on request stands when the cordon ends, and a cordon when the request does", (t) => {
  const { start, told } = host(t);
  const drain = start({ drainOnCordon: true });
  drain.setCordoned(true);
  drain.ask(false);
  assert.equal(shown(drain), "requested", "what somebody asked for comes first");
  drain.setCordoned(false);
  assert.equal(shown(drain), "requested");
  drain.setCordoned(true);
  drain.end();
  assert.equal(shown(drain), "cordoned");
  assert.deepEqual(told(), ["draining", "drain false"], "it was drained all the time");
});

test("end() of a drain by force leaves a cordoned node drained without force", (t) => {
  const { start, told } = host(t);
  const drain = start({ drainOnCordon: true });
  drain.setCordoned(true);
  drain.ask(true);
  told();
  drain.end();
  assert.deepEqual([shown(drain), told()], ["cordoned", ["draining", "drain false"]]);
});
