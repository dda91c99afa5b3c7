// Tests of the commands that change something: what is asked of the daemon, for how long they wait,
// with which status they end, and what a tired reader is told to do next.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrainView } from "../../../src/api/types.ts";
import { addDrain } from "../../../src/cli/commands/drain.ts";
import { addMove } from "../../../src/cli/commands/move.ts";
import { addPlan } from "../../../src/cli/commands/plan.ts";
import { addRebalance } from "../../../src/cli/commands/rebalance.ts";
import { addUndrain } from "../../../src/cli/commands/undrain.ts";
import { AppError } from "../../../src/core/errors.ts";
import { DRAIN } from "../../support/fake-api-source.ts";
import { commandsOf } from "./changing-harness.ts";

const STAYS = 'It stays drained, over restarts too, until "lbctl undrain".';
const DRAINED = `n1 is drained: it has no address left. ${STAYS}\n`;
const STUCK: DrainView = {
  ...DRAIN,
  remaining: [{ address: "10.0.0.10", reason: 'no beacons of "n2" arrive here' }],
};

for (const timeout of ["", " ", "soon", "-1", "1s", "Infinity", "NaN"]) {
  test(`lbctl drain --timeout "${timeout}" is a wrong usage, and nothing is drained`, async (t) => {
    const { daemon, run } = commandsOf(t, addDrain);
    const { status, stderr } = await run(["drain", "--timeout", timeout]);
    assert.deepEqual([status, daemon.asked], [2, []]);
    assert.equal(stderr, `lbctl: Cannot use --timeout "${timeout}": expected seconds\n`);
  });
}

test("lbctl drain that cannot hand over waits, says what keeps what, ends with 1", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = STUCK;
  assert.deepEqual(await run(["drain"]), {
    status: 1,
    stdout: `n1 is being drained; still answered here:
  10.0.0.10: no beacons of "n2" arrive here
They stay until another node takes them; "lbctl drain --force" lets go of them.
${STAYS}
`,
    stderr: "",
    waitedMs: 30_000,
  });
  assert.equal(daemon.asked[0], 'POST drain {"force":false}');
});

test("lbctl drain --force that has still something does not advise to use force", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = { ...STUCK, force: true };
  const { status, stdout, waitedMs } = await run(["drain", "--force", "--timeout", "0.25"]);
  assert.deepEqual([status, waitedMs], [1, 300]);
  assert.equal(daemon.asked[0], 'POST drain {"force":true}');
  assert.doesNotMatch(stdout, /--force/);
  assert.match(stdout, /They go as soon as every node that could take them was asked\./);
});

test("lbctl drain --timeout 0 looks once, and does not wait", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = STUCK;
  const { status, waitedMs } = await run(["drain", "--timeout", "0"]);
  assert.deepEqual([status, waitedMs, daemon.asked.length], [1, 0, 2]);
});

test("lbctl drain ends with 0 as soon as the last address has gone", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = STUCK;
  const ended = await run(["drain"], (waitedMs) => {
    if (waitedMs === 200) daemon.drain = DRAIN;
  });
  assert.deepEqual(ended, { status: 0, stdout: DRAINED, stderr: "", waitedMs: 300 });
});

test("lbctl drain that somebody ends meanwhile ends with 1: the node is not drained", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = { ...DRAIN, draining: false, cause: null };
  const { status, stdout } = await run(["drain"]);
  assert.deepEqual([status, stdout], [1, "n1 is not drained: it may own addresses\n"]);
});

test("lbctl drain whose daemon goes away ends with 3, and shows nothing", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = STUCK;
  const ended = await run(["drain"], () => {
    daemon.failure = new AppError("DAEMON_UNREACHABLE", "Cannot reach the daemon");
  });
  const stderr = "lbctl: Cannot reach the daemon\n";
  assert.deepEqual(ended, { status: 3, stdout: "", stderr, waitedMs: 100 });
});

test("lbctl drain of a cordoned node says how that ends", async (t) => {
  const { daemon, run } = commandsOf(t, addDrain);
  daemon.drain = { ...DRAIN, cause: "cordoned" };
  const { stdout } = await run(["drain"]);
  assert.match(
    stdout,
    /^n1 is drained, as its Node is cordoned: .*until "kubectl uncordon n1"\.\n$/,
  );
});

test("lbctl undrain says that nothing moves back by itself", async (t) => {
  const { daemon, run } = commandsOf(t, addUndrain);
  daemon.drain = { ...DRAIN, draining: false, cause: null };
  assert.deepEqual(await run(["undrain"]), {
    status: 0,
    stdout:
      "n1 is not drained: it may own addresses. " +
      'Nothing moves back by itself; "lbctl plan rebalance" shows what could.\n',
    stderr: "",
    waitedMs: 0,
  });
  assert.deepEqual(daemon.asked, ["POST undrain {}"]);
});

test("lbctl undrain of a cordoned node is in vain: it says so, and ends with 1", async (t) => {
  const { daemon, run } = commandsOf(t, addUndrain);
  daemon.drain = { ...DRAIN, cause: "cordoned" };
  const { status, stdout } = await run(["undrain"]);
  const expected = "n1 stays drained, as its Node is cordoned: kubectl uncordon n1\n";
  assert.deepEqual([status, stdout], [1, expected]);
});

const MOVE = ["move", "10.0.0.10", "n2"];
const MOVED = "10.0.0.10 has moved from n1 to n2\n";
const LOOK = 'see "lbctl explain 10.0.0.10", and "journalctl -u lbd" on n2';

const NOT_MOVED: readonly (readonly [
  name: string,
  vip: { owner: string | null; here: "owning" | "idle" } | null,
  problem: string,
  waitedMs: number,
])[] = [
  [
    "the other does not take",
    { owner: "n1", here: "owning" },
    'it did not take it, and "n1" goes on',
    5_000,
  ],
  ["a third node takes", { owner: "n3", here: "idle" }, '"n3" has taken it instead', 200],
  ["nobody has any more", { owner: null, here: "idle" }, "nobody has it now", 200],
  ["no Service has any more", null, "nobody has it now", 200],
];

for (const [name, vip, problem, waitedMs] of NOT_MOVED) {
  test(`lbctl move of an address that ${name} ends with 5, and says who has it`, async (t) => {
    const { daemon, run } = commandsOf(t, addMove);
    const ended = await run(MOVE, (waited) => {
      if (waited === 100) daemon.vip = vip;
    });
    const stderr = `lbctl: Cannot move 10.0.0.10 to "n2": ${problem}; ${LOOK}\n`;
    assert.deepEqual(ended, { status: 5, stdout: "", stderr, waitedMs });
  });
}

test("lbctl move that is refused ends with 5 in the daemon's words", async (t) => {
  const { daemon, run } = commandsOf(t, addMove);
  daemon.failure = new AppError("REFUSED", "Cannot move it: no");
  const { status, stdout, stderr } = await run(MOVE);
  assert.deepEqual([status, stdout, stderr], [5, "", "lbctl: Cannot move it: no\n"]);
});

test("lbctl move waits until the other node has it", async (t) => {
  const { daemon, run } = commandsOf(t, addMove);
  const ended = await run(MOVE, (waited) => {
    if (waited === 100) daemon.vip = { owner: "n2", here: "idle" };
  });
  assert.deepEqual(ended, { status: 0, stdout: MOVED, stderr: "", waitedMs: 200 });
  assert.equal(daemon.asked[0], 'POST move {"address":"10.0.0.10","node":"n2"}');
});

test("lbctl move while Leases cannot be written: it has moved, and who asks is told", async (t) => {
  const { daemon, run } = commandsOf(t, addMove);
  daemon.vip = { owner: "n1", here: "idle" };
  const stderr = 'lbctl: its Lease still names n1: see "lbctl status"\n';
  assert.deepEqual(await run(MOVE), { status: 0, stdout: MOVED, stderr, waitedMs: 5_000 });
});

const MOVES = [{ address: "10.0.0.10", from: "n1", to: "n2" }];
const TABLE = "ADDRESS    FROM  TO\n10.0.0.10  n1    n2\n";

test("lbctl plan rebalance shows what would move, and moves nothing", async (t) => {
  const { daemon, run } = commandsOf(t, addPlan);
  daemon.moves = MOVES;
  const ended = await run(["plan", "rebalance"]);
  assert.deepEqual(ended, { status: 0, stdout: TABLE, stderr: "", waitedMs: 0 });
  assert.deepEqual(daemon.asked, ["GET plan"]);
  daemon.moves = [];
  const { stdout } = await run(["plan", "rebalance"]);
  assert.match(stdout, /^Nothing would move: each address is with the best of the nodes that /);
});

test("lbctl rebalance with nothing to move from here says where to look for more", async (t) => {
  const { run } = commandsOf(t, addRebalance);
  assert.deepEqual(await run(["rebalance"]), {
    status: 0,
    stdout: 'Nothing to move from this node; "lbctl plan rebalance" has the moves of all nodes\n',
    stderr: "",
    waitedMs: 0,
  });
});

test("lbctl rebalance waits until all have moved", async (t) => {
  const { daemon, run } = commandsOf(t, addRebalance);
  daemon.moves = MOVES;
  const ended = await run(["rebalance"], (waited) => {
    if (waited === 300) daemon.vip = { owner: "n2", here: "idle" };
  });
  assert.deepEqual(ended, { status: 0, stdout: TABLE, stderr: "", waitedMs: 400 });
  assert.equal(daemon.asked[0], "POST rebalance {}");
});

test("lbctl rebalance names what did not move, on stderr, and ends with 1", async (t) => {
  const { daemon, run } = commandsOf(t, addRebalance);
  daemon.moves = MOVES;
  assert.deepEqual(await run(["rebalance"]), {
    status: 1,
    stdout: TABLE,
    stderr:
      "lbctl: did not move, and still answered here: 10.0.0.10; " +
      'see "lbctl explain 10.0.0.10", and run it again\n',
    waitedMs: 5_200,
  });
});
