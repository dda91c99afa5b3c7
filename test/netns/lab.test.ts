// The lab itself: what it cables, what its faults do, and that nothing of it is left behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { run } from "../lab/command.ts";
import { eventually } from "../lab/eventually.ts";
import { labForTest, withLab } from "../lab/for-test.ts";
import { Lab } from "../lab/lab.ts";
import { processState } from "../lab/process-identity.ts";

const LAB_FOLDER = join(import.meta.dirname, "../lab");
const SERVER = join(LAB_FOLDER, "backend-server.ts");
const ARP_WAIT_MS = 300;

describe("lab network", () => {
  test("lab frames cross the switch between all hosts of a segment", async (t) => {
    const lab = await labForTest(t, { foreignHost: true, gateway: true });
    for (const host of [...lab.nodes, lab.foreignHost, lab.gateway]) {
      assert.ok(host);
      assert.equal(await lab.client.arping(host.address()), host.mac());
      assert.equal(await lab.client.arping(host.address6()), host.mac());
    }
    const management = lab.node(1).address("management");
    assert.equal(await lab.apiHost.arping(management), lab.node(1).mac("management"));
  });

  test("lab segments do not leak into each other", async (t) => {
    const lab = await labForTest(t, { nodes: 2, secondDataSegment: true });
    assert.equal(await lab.client.arping(lab.node(2).address("data2")), lab.node(2).mac("data2"));
    // Asked on eth0 for an address that only exists behind eth1 of other hosts.
    await lab.node(2).run(["ip", "link", "set", "eth0", "down"]);
    const argv = ["arping", "-I", "eth0", "-c", "1", "-w", "1", lab.node(2).address("data2")];
    assert.equal((await lab.client.tryRun(argv)).code, 1);
  });

  test("lab address without a host is answered by nobody", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    assert.equal(await lab.client.arping("192.168.100.200", ARP_WAIT_MS), null);
    assert.deepEqual(await lab.client.whoAnswers("192.168.100.200"), []);
  });

  test("lab address with two hosts shows both answers", async (t) => {
    const lab = await labForTest(t, { nodes: 2 });
    for (const node of lab.nodes) {
      await node.run(["ip", "addr", "add", "192.168.100.200/32", "dev", "eth0"]);
    }
    const macs = lab.nodes.map((node) => node.mac());
    assert.deepEqual(await lab.client.whoAnswers("192.168.100.200"), macs);
  });
});

describe("lab faults", () => {
  test("lab cable pulled is seen as carrier loss and its return as carrier", async (t) => {
    const lab = await labForTest(t, { nodes: 2 });
    const [pulled, other] = [lab.node(1), lab.node(2)];
    await pulled.dataLink.down();
    assert.equal(await pulled.dataLink.hasCarrier(), false);
    assert.match(await pulled.run(["ip", "link", "show", "eth0"]), /NO-CARRIER.*,UP/);
    assert.equal(await pulled.mgmtLink.hasCarrier(), true);
    assert.equal(await other.dataLink.hasCarrier(), true);
    assert.equal(await lab.client.arping(pulled.address(), ARP_WAIT_MS), null);
    await pulled.dataLink.up();
    assert.equal(await pulled.dataLink.hasCarrier(), true);
    assert.equal(await lab.client.arping(pulled.address()), pulled.mac());
  });

  test("lab carrier loss is announced by the kernel without delay, each time", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const node = lab.node(1);
    const monitor = node.spawn("monitor", ["stdbuf", "-oL", "ip", "monitor", "link"]);
    const losses = () => monitor.log().match(/eth0.*NO-CARRIER/g)?.length ?? 0;
    // The monitor does not say when it listens: pull until it has seen something.
    await eventually("the monitor to listen", async () => {
      await node.dataLink.down();
      await node.dataLink.up();
      return losses() > 0;
    });
    for (let round = 0; round < 3; round++) {
      const before = losses();
      await node.dataLink.down();
      await eventually("a carrier loss", () => losses() > before, {
        timeoutMs: 500,
        intervalMs: 5,
      });
      await node.dataLink.up();
    }
  });

  test("lab all cables of a node pulled cuts off data and management", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const node = lab.node(1);
    await node.pullCables();
    assert.deepEqual(await Promise.all(node.links.map((link) => link.hasCarrier())), [
      false,
      false,
    ]);
    await node.plugCables();
    assert.equal(await lab.apiHost.arping(node.address("management")), node.mac("management"));
  });

  test("lab partition blocks exactly its pairs and heals", async (t) => {
    const lab = await labForTest(t, { nodes: 3 });
    const [one, two, three] = [lab.node(1), lab.node(2), lab.node(3)];
    const first = await lab.partition([one], [two, three]);
    const second = await lab.partition([two], [lab.client]);
    assert.equal(await one.arping(two.address(), ARP_WAIT_MS), null);
    assert.equal(await three.arping(one.address(), ARP_WAIT_MS), null);
    assert.equal(await two.arping(three.address()), three.mac());
    assert.equal(await lab.client.arping(one.address()), one.mac());
    assert.equal(await one.dataLink.hasCarrier(), true);
    await first.heal();
    assert.equal(await one.arping(two.address()), two.mac());
    assert.equal(await lab.client.arping(two.address(), ARP_WAIT_MS), null);
    await second.heal();
    assert.equal(await lab.client.arping(two.address()), two.mac());
  });

  test("lab partition one way drops only that direction", async (t) => {
    const lab = await labForTest(t, { nodes: 2 });
    const [deaf, mute] = [lab.node(2), lab.node(1)];
    await lab.partition([mute], [deaf], { oneWay: true });
    assert.equal(await deaf.arping(mute.address(), ARP_WAIT_MS), null);
    // The request arrived: a host learns the MAC of who asks it.
    const [learnt] = await mute.neighbours(deaf.address());
    assert.equal(learnt?.lladdr, deaf.mac());
    await lab.heal();
    assert.equal(await deaf.arping(mute.address()), mute.mac());
  });

  test("lab partition with a match drops only what matches", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const node = lab.node(1);
    const permanent = ["lladdr", node.mac(), "dev", "eth0", "nud", "permanent"];
    await lab.partition([lab.client], [node], { match: "ether type arp" });
    assert.equal(await lab.client.arping(node.address(), ARP_WAIT_MS), null);
    await node.run([
      "ip",
      "neigh",
      "replace",
      lab.client.address(),
      "lladdr",
      lab.client.mac(),
      "dev",
      "eth0",
    ]);
    await lab.client.run(["ip", "neigh", "replace", node.address(), ...permanent]);
    assert.equal(await lab.client.tcpConnect(node.address(), 9), "refused");
    await lab.heal();
    await lab.partition([lab.client], [node], { match: "ip protocol tcp" });
    assert.equal(await lab.client.tcpConnect(node.address(), 9, ARP_WAIT_MS), "timed out");
  });
});

describe("lab processes", () => {
  test("lab process frozen keeps its connections and answers only when thawed", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const url = `http://${lab.node(1).address()}:8080/`;
    const server = lab.node(1).spawn("server", [process.execPath, SERVER, "pod", "8080"]);
    await server.waitForOutput(/listening/);
    assert.equal((await lab.client.curl(url)).status, 200);
    await server.freeze();
    assert.equal(processState(server.pid), "T");
    assert.equal(await lab.client.tcpConnect(lab.node(1).address(), 8080), "connected");
    assert.equal((await lab.client.curl(url, { timeoutMs: 300 })).status, 0);
    server.thaw();
    const answer = await lab.client.curl(url);
    assert.deepEqual(JSON.parse(answer.body), { pod: "pod", client: lab.client.address() });
  });

  test("lab process pid, signal and exit status are the command's own", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const shell = lab.node(1).spawn("shell", ["sh", "-c", "echo pid $$; exec sleep 600"]);
    assert.equal(Number((await shell.waitForOutput(/pid (\d+)/))[1]), shell.pid);
    assert.deepEqual(await shell.kill("SIGTERM"), { code: null, signal: "SIGTERM" });
    assert.equal(shell.isRunning, false);
    const failing = lab.node(1).spawn("failing", ["sh", "-c", "exit 7"]);
    assert.deepEqual(await failing.waitForEnd(), { code: 7, signal: null });
  });

  test("lab process that ends while waited for is reported with its log", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const process = lab.node(1).spawn("broken", ["sh", "-c", "echo no such luck; exit 3"]);
    await assert.rejects(process.waitForOutput(/ready/), /status 3\)[\s\S]*no such luck/);
  });

  test("lab daemon gets its node file and is waited for until its socket answers", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const program = join(LAB_FOLDER, "fixtures/daemon-stand-in.ts");
    const config = { logLevel: "warn" };
    const daemon = await lab.node(1).startDaemon({ kubeconfig: "/kubeconfig", config, program });
    const { status, body } = await daemon.get("/");
    assert.equal(status, 404);
    assert.deepEqual(JSON.parse(body), {
      nodeName: "node1",
      kubeconfig: "/kubeconfig",
      namespace: "metallb-system",
      systemNamespace: "lbd-system",
      stateFile: join(lab.folder, "node1/state.db"),
      socket: join(lab.folder, "node1/lbd.sock"),
      socketGroup: "root",
      logLevel: "warn",
    });
    await daemon.kill();
    const failing = lab.node(1).startDaemon({ kubeconfig: "", program, env: { FAIL: "yes" } });
    await assert.rejects(failing, /status 78\)[\s\S]*cannot start/);
  });

  test("eventually() reports what it saw last", async () => {
    const check = () => ({ owners: 2 });
    const waiting = eventually("one owner", check, { timeoutMs: 30, until: (v) => v.owners === 1 });
    await assert.rejects(waiting, /30 ms waiting for one owner; last seen: \{ owners: 2 \}/);
  });
});

describe("lab clean-up", () => {
  test("lab disposed leaves nothing behind", async () => {
    const lab = await Lab.create({ nodes: 1 });
    const sleeper = lab.node(1).spawn("sleeper", ["sleep", "600"]);
    await sleeper.freeze();
    await lab.capture();
    const made = madeBy(lab);
    assert.equal(leftovers(made).length, made.namespaces.length + made.pids.length + 2);
    await lab[Symbol.asyncDispose]();
    assert.deepEqual(leftovers(made), []);
  });

  test("lab left by an exception keeps logs and captures and nothing else", async () => {
    const keep = mkdtempSync(join(tmpdir(), "lbd-lab-keep-"));
    process.env.LBD_LAB_KEEP = keep;
    try {
      let made: Made = { id: "", folder: "", namespaces: [], pids: [] };
      const failing = withLab({ nodes: 1 }, async (lab) => {
        await lab.capture();
        await lab.client.arping(lab.node(1).address());
        made = madeBy(lab);
        throw new Error("on purpose");
      });
      await assert.rejects(failing, /on purpose/);
      assert.notEqual(made.id, "");
      assert.deepEqual(leftovers(made), []);
      const [kept = ""] = readdirSync(keep);
      assert.match(kept, /^on-purpose-/);
      const pcap = statSync(join(keep, kept, "node1", "node1.pcap"));
      assert.ok(pcap.size > 24, "the capture has more than its header");
    } finally {
      delete process.env.LBD_LAB_KEEP;
      rmSync(keep, { recursive: true });
    }
  });

  test("lab whose owner throws or gets Ctrl-C is removed by the owner", async () => {
    for (const [behaviour, signal] of [
      ["throw", null],
      ["wait", "SIGINT"],
      ["wait", "SIGTERM"],
    ] as const) {
      const owner = await startOwner(behaviour);
      if (signal !== null) process.kill(owner.pid, signal);
      const end = await owner.ended;
      assert.deepEqual(end, signal === null ? { code: 1, signal } : { code: null, signal });
      assert.deepEqual(leftovers(owner.made), [], behaviour);
    }
  });

  test("lab whose owner was killed is removed by a sweep", async () => {
    const owner = await startOwner("wait");
    assert.ok(leftovers(owner.made).length > 0);
    process.kill(owner.pid, "SIGKILL");
    await owner.ended;
    await run([process.execPath, join(LAB_FOLDER, "sweep.ts")]);
    assert.deepEqual(leftovers(owner.made), []);
  });

  test("lab made to outlive its owner is removed only by name", async () => {
    const owner = await startOwner("leave");
    await owner.ended;
    const all = leftovers(owner.made);
    await run([process.execPath, join(LAB_FOLDER, "sweep.ts")]);
    assert.deepEqual(leftovers(owner.made), all);
    assert.equal(all.length, owner.made.namespaces.length + owner.made.pids.length + 2);
    await run([process.execPath, join(LAB_FOLDER, "sweep.ts"), owner.made.id]);
    assert.deepEqual(leftovers(owner.made), []);
  });

  test("labs at the same time do not collide", async () => {
    await using first = await Lab.create({ nodes: 1 });
    const others = await Promise.all([Lab.create({ nodes: 1 }), Lab.create({ nodes: 2 })]);
    await first.node(1).run(["ip", "addr", "add", "192.168.100.200/32", "dev", "eth0"]);
    try {
      for (const lab of others) {
        assert.equal(await lab.client.arping("192.168.100.200", ARP_WAIT_MS), null);
        assert.equal(await lab.client.arping(lab.node(1).address()), lab.node(1).mac());
      }
    } finally {
      for (const lab of others) lab.dispose();
    }
    assert.equal(await first.client.arping("192.168.100.200"), first.node(1).mac());
  });
});

/** What a lab has made, as far as it can be left behind. */
interface Made {
  readonly id: string;
  readonly folder: string;
  readonly namespaces: readonly string[];
  readonly pids: readonly number[];
}

function madeBy(lab: Lab): Made {
  const { namespaces, processes } = lab.context.ledger.record;
  return { id: lab.id, folder: lab.folder, namespaces, pids: processes.map(({ pid }) => pid) };
}

/** What is still there of it. A zombie is not: its parent has yet to hear of its end. */
function leftovers(made: Made): string[] {
  const namespaces = made.namespaces.map((name) => `/run/netns/${name}`);
  const files = [...namespaces, made.folder, `/run/lbd-lab/${made.id}.json`].filter(existsSync);
  const pids = made.pids.filter((pid) => !["Z", null].includes(processState(pid)));
  return [...files, ...pids.map((pid) => `process ${pid}`)];
}

/** Runs a program that makes a lab; returns when the lab is made. */
async function startOwner(behaviour: "wait" | "throw" | "leave") {
  const program = join(LAB_FOLDER, "fixtures/lab-owner.ts");
  const child = spawn(process.execPath, [program, behaviour], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await eventually("the owner's lab", () => printed.includes("\n"), { timeoutMs: 15_000 });
  return { pid: child.pid ?? 0, ended, made: JSON.parse(printed) as Made };
}
