// The beacon socket on real segments: who hears whom, what a failed send says, and that it works
// again, by itself, whatever happened to an interface. That something is not heard is shown by a
// later datagram that is.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { BeaconSegmentAddress, BeaconSocketCounters } from "../../src/beacon/socket.ts";
import { type Ip, prefixOf } from "../../src/core/address.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { LabHost } from "../lab/host.ts";
import type { Lab } from "../lab/lab.ts";
import type { LabNode } from "../lab/node.ts";
import { identifyProcess } from "../lab/process-identity.ts";
import type { BeaconCommand, BeaconWord } from "./support/beacon-child.ts";

const CHILD = fileURLToPath(new URL("support/beacon-child.ts", import.meta.url));
/** More than net.ipv4.igmp_max_memberships, of which there is one for each socket. */
const REMAKES = 25;

type WordOf<K extends BeaconWord["kind"]> = BeaconWord & { readonly kind: K };
type Problem = Omit<WordOf<"problem">, "kind">;

/** A beacon socket in a host of the lab. */
class BeaconNode {
  readonly host: LabHost;
  readonly heard: string[] = [];
  problems: Problem[] = [];
  readonly #process: ChildProcess;
  readonly #words: BeaconWord[] = [];

  private constructor(lab: Lab, host: LabHost) {
    this.host = host;
    const space = ["ip", "netns", "exec", host.namespace, process.execPath, CHILD];
    this.#process = spawn("setpriv", ["--pdeathsig", "KILL", ...space], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    const identity = identifyProcess(this.#process.pid ?? 0);
    if (identity !== null) lab.context.ledger.addProcess(identity);
    this.#process.on("message", (word: BeaconWord) => {
      if (word.kind === "heard") this.heard.push(`${word.interface} ${word.from} ${word.text}`);
      else if (word.kind === "problem") {
        this.problems.push({ interface: word.interface, message: word.message });
      } else this.#words.push(word);
    });
    // It would keep the test process waiting for a lab that nobody disposed.
    this.#process.unref();
    this.#process.channel?.unref();
  }

  static async start(lab: Lab, host: LabHost): Promise<BeaconNode> {
    const node = new BeaconNode(lab, host);
    await node.#take("ready");
    return node;
  }

  async obey(kind: "open" | "close"): Promise<void> {
    this.#tell({ kind });
    await this.#take("obeyed");
  }

  /** Each as interface and address, all of a /24, or /64. */
  async segments(...wanted: readonly (readonly [string, string])[]): Promise<void> {
    const segments = wanted.map(
      ([name, address]): BeaconSegmentAddress => ({
        interface: name,
        address: address as Ip,
        prefix: prefixOf(address as Ip, address.includes(":") ? 64 : 24),
      }),
    );
    this.#tell({ kind: "segments", segments });
    await this.#take("obeyed");
  }

  /** Whether the kernel took it. */
  async send(text: string, options: SendOptions = {}): Promise<boolean> {
    this.post(text, options);
    return await this.sent();
  }

  post(text: string, { over = "eth0", to = null, blockMs = 0 }: SendOptions): void {
    this.#tell({ kind: "send", interface: over, to: to as Ip | null, text, blockMs });
  }

  async sent(): Promise<boolean> {
    const { ok, wasLater } = await this.#take("sent");
    assert.equal(wasLater, true);
    return ok;
  }

  get hasSent(): boolean {
    return this.#words.some(({ kind }) => kind === "sent");
  }

  async counters(): Promise<BeaconSocketCounters> {
    this.#tell({ kind: "counters" });
    return (await this.#take("counters")).counters;
  }

  /** Waits for that text; returns all that was heard up to it. */
  async hears(line: string): Promise<string[]> {
    const options = { intervalMs: 2, until: (at: number) => at >= 0 };
    const name = `${this.host.name} to hear '${line}'`;
    const at = await eventually(name, () => this.heard.indexOf(line), options);
    return this.heard.splice(0, at + 1);
  }

  /** Waits for trouble with the interface, or its end; it is the only word there was. */
  async told(name: string, message: RegExp | null): Promise<void> {
    const [problem, ...others] = await eventually(`a word on ${name}`, () => this.problems, {
      until: (problems) => problems.length > 0,
    });
    this.problems = [];
    assert.deepEqual([problem?.interface, others], [name, []]);
    if (message === null) assert.equal(problem?.message, null);
    else assert.match(problem?.message ?? "", message);
  }

  #tell(command: BeaconCommand): void {
    this.#process.send(command);
  }

  async #take<K extends BeaconWord["kind"]>(kind: K): Promise<WordOf<K>> {
    const find = () => this.#words.findIndex((word) => word.kind === kind);
    const options = { intervalMs: 1, until: (at: number) => at >= 0 };
    const at = await eventually(`the child to say '${kind}'`, find, options);
    const [found] = this.#words.splice(at, 1);
    return found as WordOf<K>;
  }
}

interface SendOptions {
  readonly over?: string;
  /** Default: the group. */
  readonly to?: string | null;
  readonly blockMs?: number;
}

describe("BeaconSocket", () => {
  let [host, peerHost]: LabNode[] = [];
  let node: BeaconNode;
  let peer: BeaconNode;
  let texts = 0;

  labForSuite({ nodes: 2, secondDataSegment: true }, async (lab) => {
    [host, peerHost] = [lab.node(1), lab.node(2)];
    node = await BeaconNode.start(lab, host);
    peer = await BeaconNode.start(lab, peerHost);
    assert.equal(await node.send("not open"), false);
    for (const each of [node, peer]) {
      await each.segments(["eth0", each.host.address()], ["eth1", each.host.address("data2")]);
      assert.equal(await each.send("not open"), false);
      await each.obey("open");
      assert.deepEqual(each.problems, []);
    }
  });

  /** By multicast, in both directions; what each heard on the way is forgotten. */
  async function bothHear(over = "eth0", from = node, to = peer): Promise<void> {
    const text = `text ${++texts}`;
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      assert.equal(await one.send(text, { over }), true);
      const isIt = (line: string) => line.startsWith(`${over} `) && line.endsWith(` ${text}`);
      const name = `${other.host.name} to hear '${text}'`;
      await eventually(name, () => other.heard.some(isIt), { intervalMs: 2 });
      other.heard.length = 0;
    }
  }

  test("send() fails for what is no segment, and to what is no IPv4 address", async () => {
    assert.equal(await node.send("no", { over: "mgmt0" }), false);
    assert.equal(await node.send("no", { to: "fd00:100::12" }), false);
    assert.equal(await node.send("no", { to: "node2" }), false);
    assert.deepEqual(node.problems, []);
  });

  test("onDatagram() has what peers send to the group, and not the own", async () => {
    const [address, peerAddress] = [host?.address(), peerHost?.address()];
    assert.equal(await node.send("to all"), true);
    assert.equal(await peer.send("to all, too"), true);
    assert.deepEqual(await node.hears(`eth0 ${peerAddress} to all, too`), [
      `eth0 ${peerAddress} to all, too`,
    ]);
    assert.deepEqual(await peer.hears(`eth0 ${address} to all`), [`eth0 ${address} to all`]);
  });

  test("onDatagram() has what a peer sends to the own address, once", async () => {
    assert.equal(await node.send("one", { to: peer.host.address() }), true);
    assert.equal(await peer.send("two", { to: node.host.address() }), true);
    assert.equal(await node.send("three"), true);
    assert.equal(await peer.send("four"), true);
    assert.deepEqual(await peer.hears(`eth0 ${node.host.address()} three`), [
      `eth0 ${node.host.address()} one`,
      `eth0 ${node.host.address()} three`,
    ]);
    assert.deepEqual(await node.hears(`eth0 ${peer.host.address()} four`), [
      `eth0 ${peer.host.address()} two`,
      `eth0 ${peer.host.address()} four`,
    ]);
  });

  test("onDatagram() names the segment that it came on", async () => {
    for (const [over, segment] of [
      ["eth0", "data"],
      ["eth1", "data2"],
    ] as const) {
      assert.equal(await node.send("all", { over }), true);
      assert.equal(await node.send("one", { over, to: peer.host.address(segment) }), true);
      const from = `${over} ${node.host.address(segment)}`;
      assert.deepEqual(await peer.hears(`${from} one`), [`${from} all`, `${from} one`]);
    }
  });

  test("send() has handed the datagram to the kernel when it returns", async () => {
    for (const to of [null, peer.host.address()]) {
      node.post("now", { to, blockMs: 1_000 });
      await peer.hears(`eth0 ${node.host.address()} now`);
      assert.equal(node.hasSent, false);
      assert.equal(await node.sent(), true);
    }
  });

  test("send() takes as much as fits into a frame", async () => {
    const text = "x".repeat(1_400);
    assert.equal(await node.send(text), true);
    await peer.hears(`eth0 ${node.host.address()} ${text}`);
  });

  test("counters() count what was received, sent, not sent, and came from elsewhere", async () => {
    const route = ["10.55.0.0/24", "dev", "eth0"];
    await node.host.run(["ip", "route", "add", ...route]);
    await peer.host.run(["ip", "addr", "add", "10.55.0.5/24", "dev", "eth0"]);
    await peer.segments(["eth0", "10.55.0.5"], ["eth1", peer.host.address("data2")]);
    const before = await node.counters();
    assert.equal(await peer.send("foreign"), true);
    assert.equal(await peer.send("foreign", { to: node.host.address() }), true);
    await eventually("both", async () => (await node.counters()).foreign === before.foreign + 2);
    await peer.segments(["eth0", peer.host.address()], ["eth1", peer.host.address("data2")]);
    await peer.host.run(["ip", "addr", "del", "10.55.0.5/24", "dev", "eth0"]);
    await node.host.run(["ip", "route", "del", ...route]);
    assert.equal(await peer.send("known"), true);
    assert.equal(await node.send("known"), true);
    assert.equal(await node.send("unknown", { over: "eth9" }), false);
    const line = `eth0 ${peer.host.address()} known`;
    assert.deepEqual(await node.hears(line), [line]);
    assert.deepEqual(await node.counters(), {
      received: before.received + 1,
      sent: before.sent + 1,
      sendFailed: before.sendFailed + 1,
      foreign: before.foreign + 2,
    });
    await bothHear();
  });

  test("send() fails while the interface is down, told once, and works again", async () => {
    await node.host.run(["ip", "link", "set", "eth0", "down"]);
    for (const to of [null, null, peer.host.address()]) {
      assert.equal(await node.send("down", { to }), false);
    }
    await node.told("eth0", /^Cannot send beacons: send ENETUNREACH 224\.0\.0\.254:7473$/);
    await bothHear("eth1");
    await node.host.run(["ip", "link", "set", "eth0", "up"]);
    await eventually("the carrier", () => host?.dataLink.hasCarrier());
    await bothHear();
    await node.told("eth0", null);
  });

  test("peers hear each other again when the carrier is back", async () => {
    await host?.dataLink.down();
    assert.equal(await node.send("lost"), true);
    await host?.dataLink.up();
    await eventually("the carrier", () => host?.dataLink.hasCarrier());
    await bothHear();
    assert.deepEqual(node.problems, []);
  });

  test("a lost address is told once, and all works again when it is back", async () => {
    const address = ["192.168.100.11/24", "dev", "eth0"];
    await node.host.run(["ip", "addr", "del", ...address]);
    assert.equal(await node.send("no address"), false);
    assert.equal(await node.send("no address", { to: peer.host.address() }), false);
    await node.told("eth0", /^Cannot send beacons: send E[A-Z]+ 224\.0\.0\.254:7473$/);
    await bothHear("eth1");
    await node.host.run(["ip", "addr", "add", ...address]);
    await bothHear();
    await node.told("eth0", null);
    assert.equal(await peer.send("to it", { to: node.host.address() }), true);
    await node.hears(`eth0 ${peer.host.address()} to it`);
  });

  test("a lost address and its return are told also when nothing is sent", async () => {
    const address = ["192.168.100.11/24", "dev", "eth0"];
    await node.host.run(["ip", "addr", "del", ...address]);
    await node.told("eth0", /^Cannot exchange beacons: .*EADDRNOTAVAIL/);
    await node.host.run(["ip", "addr", "add", ...address]);
    await node.told("eth0", null);
    await bothHear();
  });

  test("setSegments() moves to another address of the interface, and back", async () => {
    await node.host.run(["ip", "addr", "add", "192.168.100.99/24", "dev", "eth0"]);
    const second = ["eth1", node.host.address("data2")] as const;
    await node.segments(["eth0", "192.168.100.99"], second);
    assert.equal(await node.send("moved"), true);
    await peer.hears("eth0 192.168.100.99 moved");
    await bothHear();
    await node.segments(["eth0", node.host.address()], second);
    await node.host.run(["ip", "addr", "del", "192.168.100.99/24", "dev", "eth0"]);
    await bothHear();
    assert.deepEqual(node.problems, []);
  });

  test("setSegments() leaves a segment that is gone, and joins it again", async () => {
    await node.segments(["eth0", node.host.address()]);
    assert.equal(await node.send("left", { over: "eth1" }), false);
    const { foreign } = await node.counters();
    assert.equal(await peer.send("unheard", { over: "eth1" }), true);
    assert.equal(await peer.send("heard"), true);
    const line = `eth0 ${peer.host.address()} heard`;
    assert.deepEqual(await node.hears(line), [line]);
    assert.equal((await node.counters()).foreign, foreign);
    await node.segments(["eth0", node.host.address()], ["eth1", node.host.address("data2")]);
    await bothHear("eth1");
    await bothHear();
  });

  test("an interface that is made anew is joined again, however often", async () => {
    // On mgmt0, because eth0 is in the group and would hear it too.
    const make = (of: BeaconNode, number: number) =>
      of.host.run(["ip", "-batch", "-"], {
        input: `link add link mgmt0 name mv0 type macvlan mode bridge
          addr add 10.99.0.${number}/24 dev mv0
          link set mv0 up\n`,
      });
    const segments = (of: BeaconNode, number: number) =>
      of.segments(["eth0", of.host.address()], ["mv0", `10.99.0.${number}`]);
    await segments(node, 1);
    await node.told("mv0", /^Cannot exchange beacons: bind EADDRNOTAVAIL 10\.99\.0\.1:7473$/);
    await make(node, 1);
    await node.told("mv0", null);
    await make(peer, 2);
    await segments(peer, 2);
    for (let round = 0; round < REMAKES; round++) {
      await node.host.run(["ip", "link", "del", "mv0"]);
      await make(node, 1);
      await segments(node, 1);
      await bothHear("mv0");
    }
    await bothHear();
    // Also when nobody says anything.
    await node.host.run(["ip", "link", "del", "mv0"]);
    await make(node, 1);
    await eventually("mv0", async () => {
      assert.equal(await node.send("back", { over: "mv0" }), true);
      assert.equal(await peer.send("back", { over: "mv0" }), true);
      return node.heard.includes("mv0 10.99.0.2 back");
    });
    assert.deepEqual(peer.problems, []);
  });

  test("an interface without IPv4 that is made anew is bound anew", async () => {
    const make = async (of: BeaconNode, number: number): Promise<void> => {
      await of.host.tryRun(["ip", "link", "del", "mv0"]);
      await of.host.run(["ip", "-batch", "-"], {
        input: `link add link mgmt0 name mv0 type macvlan mode bridge
          link set mv0 addrgenmode none
          link set mv0 up
          addr add fe80::99:${number}/64 dev mv0 nodad\n`,
      });
    };
    for (const [i, of] of [node, peer].entries()) {
      await make(of, i + 1);
      await of.segments(["eth0", of.host.address()], ["mv0", `fe80::99:${i + 1}`]);
    }
    await bothHear("mv0");
    await make(node, 1);
    // Nobody says anything of it; what is sent meanwhile may be lost.
    const isBack = async (): Promise<boolean> => {
      for (const each of [node, peer]) await each.send("again", { over: "mv0" });
      const [there, here] = ["mv0 fe80::99:1 again", "mv0 fe80::99:2 again"];
      return peer.heard.includes(there) && node.heard.includes(here);
    };
    await eventually("mv0", isBack, { timeoutMs: 10_000, intervalMs: 100, until: Boolean });
  });

  test("close() ends all: nothing is sent, and the port is free", async () => {
    await peer.obey("close");
    await peer.obey("close");
    assert.equal(await peer.send("closed"), false);
    assert.equal(await peer.host.run(["ss", "-Hulpn", "sport = :7473"]), "");
    await node.obey("close");
  });
});
