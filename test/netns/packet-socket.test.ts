// The ARP socket against the real kernel: two network namespaces joined by a veth pair, the socket
// in a child process in one, a raw sender in the other. Needs root. Absence is shown by a later
// frame that does arrive, never by waiting.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FILTER_PREFIXES_MAX } from "../../src/ndp/filter.ts";
import type { ChildCommand, ChildMessage, RangeText } from "../support/packet-socket-child.ts";

const CHILD = fileURLToPath(new URL("../support/packet-socket-child.ts", import.meta.url));
const TIMEOUT_MS = 20_000;
const id = randomBytes(3).toString("hex");
const NODE_SPACE = `lbdps-${id}-n`;
const PEER_SPACE = `lbdps-${id}-p`;
const MTU = 9216;
const POOL: readonly RangeText[] = [["10.0.0.10", "10.0.0.20"]];
const SENTINEL = "10.0.0.20";
const RECEIVE_SLOTS = 64;

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function inSpace(space: string, ...command: readonly string[]): string {
  return ip("netns", "exec", space, ...command);
}

function interfaceIndex(space: string, name: string): number {
  const [link] = JSON.parse(ip("-n", space, "-j", "link", "show", "dev", name));
  return link.ifindex;
}

function addVeth(name: string): void {
  const peer = ["type", "veth", "peer", "name", name, "mtu", String(MTU), "netns", PEER_SPACE];
  ip("-n", NODE_SPACE, "link", "add", name, "mtu", String(MTU), ...peer);
  for (const space of [NODE_SPACE, PEER_SPACE]) ip("-n", space, "link", "set", name, "up");
}

/** A child in a namespace; its messages are kept until a test takes them. */
class Child {
  readonly process: ChildProcess;
  readonly #messages: ChildMessage[] = [];
  #wake: () => void = () => {};

  constructor(space: string) {
    const command = ["netns", "exec", space, process.execPath, CHILD];
    this.process = spawn("ip", command, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.process.on("message", (message: ChildMessage) => {
      this.#messages.push(message);
      this.#wake();
    });
  }

  /** The oldest message of that kind; others stay. */
  async take<K extends ChildMessage["kind"]>(kind: K): Promise<ChildMessage & { kind: K }> {
    for (;;) {
      const index = this.#messages.findIndex((message) => message.kind === kind);
      const [found] = index < 0 ? [] : this.#messages.splice(index, 1);
      if (found !== undefined) return found as ChildMessage & { kind: K };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ask(command: ChildCommand): Promise<ChildMessage & { kind: "done" }> {
    this.process.send(command);
    return await this.take("done");
  }

  async must(command: ChildCommand): Promise<number> {
    const { accepted, error } = await this.ask(command);
    assert.equal(error, undefined);
    return accepted;
  }

  /** Frames up to and with the first one that asks for `target`. */
  async framesUntil(target: string): Promise<{ hex: string; length: number }[]> {
    const seen: { hex: string; length: number }[] = [];
    while (!seen.some((frame) => targetOf(frame.hex) === target)) {
      seen.push(...(await this.take("frames")).frames);
    }
    return seen;
  }
}

const PEER_MAC = "02000000aa01";

function hexOf(address: string): string {
  return Buffer.from(address.split(".").map(Number)).toString("hex");
}

function targetOf(frame: string): string {
  return Buffer.from(frame.slice(76, 84), "hex").join(".");
}

/** A broadcast ARP request, padded with zeros to `bytes`. */
function request(target: string, bytes = 42, sender = "10.0.0.99"): string {
  const ethernet = `ffffffffffff${PEER_MAC}0806`;
  const arp = `0001080006040001${PEER_MAC}${hexOf(sender)}000000000000${hexOf(target)}`;
  return (ethernet + arp).padEnd(bytes * 2, "0").slice(0, bytes * 2);
}

function tagged(frame: string, vlan: number): string {
  return `${frame.slice(0, 24)}8100${vlan.toString(16).padStart(4, "0")}${frame.slice(24)}`;
}

let node: Child;
let peer: Child;

async function openOn(name: string, ranges: readonly RangeText[]): Promise<void> {
  const nodeIndex = interfaceIndex(NODE_SPACE, name);
  const peerIndex = interfaceIndex(PEER_SPACE, name);
  await node.must({ kind: "open-arp", interfaceIndex: nodeIndex, ranges });
  await peer.must({ kind: "open-raw", interfaceIndex: peerIndex, etherType: 0x0806 });
}

function cleanUp(): void {
  for (const child of [node, peer]) child?.process.kill("SIGKILL");
  for (const space of [NODE_SPACE, PEER_SPACE]) {
    try {
      ip("netns", "del", space);
    } catch {
      // It was never made.
    }
  }
}

function onSignal(): void {
  cleanUp();
  process.exit(130);
}

before(async () => {
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  for (const space of [NODE_SPACE, PEER_SPACE]) {
    ip("netns", "add", space);
    // The kernel's own ARP and IPv6 chatter would mix with the test's frames.
    inSpace(space, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1");
  }
  addVeth("veth0");
  node = new Child(NODE_SPACE);
  peer = new Child(PEER_SPACE);
  await Promise.all([node.take("ready"), peer.take("ready")]);
});

after(() => {
  process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  cleanUp();
});

const options = { timeout: TIMEOUT_MS };

test("openFrameSocket() refuses an interface that does not exist", options, async () => {
  const { error } = await node.ask({ kind: "open-arp", interfaceIndex: 4242, ranges: POOL });
  assert.equal(error?.code, "PACKET_SOCKET");
  assert.equal(
    error?.message,
    "Cannot open a socket for ARP on interface 4242: there is no such interface (ENODEV)",
  );
});

test("openFrameSocket() refuses an interface that is down", options, async () => {
  const index = interfaceIndex(NODE_SPACE, "lo");
  const { error } = await node.ask({ kind: "open-arp", interfaceIndex: index, ranges: POOL });
  assert.equal(
    error?.message,
    `Cannot open a socket for ARP on interface ${index}: the interface is down or gone (ENETDOWN)`,
  );
});

test("openFrameSocket() receives matching frames and only them", options, async () => {
  await openOn("veth0", POOL);
  const wrongLengths = request("10.0.0.15").replace("0806000108000604", "0806000108000806");
  const frames = [
    request("10.0.0.9"),
    request("10.0.0.21"),
    wrongLengths,
    tagged(request("10.0.0.16"), 100),
    request("10.0.0.10"),
    request("1.1.1.1", 42, "10.0.0.11"),
    request(SENTINEL),
  ];
  assert.equal(await peer.must({ kind: "send", frames }), frames.length);
  const seen = await node.framesUntil(SENTINEL);
  assert.deepEqual(
    seen,
    [frames[4], frames[5], frames[6]].map((hex) => ({ hex, length: 42 })),
  );
});

test("FrameSocket survives 20-byte frames and sizes 9,000-byte ones", options, async () => {
  const frames = [request("10.0.0.12", 20), request("10.0.0.13", 9000), request(SENTINEL, 60)];
  assert.equal(await peer.must({ kind: "send", frames }), frames.length);
  const seen = await node.framesUntil(SENTINEL);
  assert.deepEqual(
    seen.map(({ hex, length }) => [targetOf(hex), length, hex.length / 2]),
    [
      ["10.0.0.13", 9000, 2048],
      [SENTINEL, 60, 60],
    ],
  );
});

test("FrameSocket delivers what queued in batches of the slot count", options, async () => {
  // A stopped process cannot read: all frames queue before it goes on.
  const frames = Array.from({ length: 150 }, (_, i) => request(`10.0.0.${10 + (i % 10)}`));
  node.process.kill("SIGSTOP");
  assert.equal(await peer.must({ kind: "send", frames }), frames.length);
  node.process.kill("SIGCONT");
  const batches: number[] = [];
  while (batches.reduce((sum, count) => sum + count, 0) < frames.length) {
    batches.push((await node.take("frames")).frames.length);
  }
  assert.deepEqual(batches, [RECEIVE_SLOTS, RECEIVE_SLOTS, 150 - 2 * RECEIVE_SLOTS]);
});

test("FrameSocket.setRanges() applies to the next frame", options, async () => {
  await node.must({ kind: "set-ranges", ranges: [["10.0.7.0", "10.0.7.255"]] });
  const frames = [request("10.0.0.15"), request("10.0.7.7")];
  await peer.must({ kind: "send", frames });
  assert.deepEqual(await node.framesUntil("10.0.7.7"), [{ hex: frames[1], length: 42 }]);
});

test("FrameSocket.setRanges() without ranges receives nothing", options, async () => {
  await node.must({ kind: "set-ranges", ranges: [] });
  await peer.must({ kind: "send", frames: [request("10.0.7.7"), request("10.0.0.15")] });
  await node.must({ kind: "set-ranges", ranges: POOL });
  await peer.must({ kind: "send", frames: [request(SENTINEL)] });
  assert.deepEqual(await node.framesUntil(SENTINEL), [{ hex: request(SENTINEL), length: 42 }]);
});

test("FrameSocket.setRanges() fits the smallest default of optmem_max", options, async () => {
  // High addresses and single ones make the longest program after the kernel translated it.
  const ranges = Array.from({ length: 64 }, (_, i): RangeText => [`240.1.${i}.5`, `240.1.${i}.5`]);
  inSpace(NODE_SPACE, "sysctl", "-qw", "net.core.optmem_max=20480");
  await node.must({ kind: "set-ranges", ranges });
  await node.must({ kind: "set-ranges", ranges });
  await node.must({ kind: "set-ranges", ranges: POOL });
});

test("FrameSocket.setRanges() fits it for Neighbor Discovery, too", options, async () => {
  // Single addresses make the longest program: all four words of each are compared.
  const one = (i: number): string => `fd00:8000:9000:${i.toString(16)}::f000:1`;
  const ranges = Array.from({ length: FILTER_PREFIXES_MAX }, (_, i): RangeText => [one(i), one(i)]);
  const other = new Child(NODE_SPACE);
  try {
    await other.take("ready");
    inSpace(NODE_SPACE, "sysctl", "-qw", "net.core.optmem_max=20480");
    const index = interfaceIndex(NODE_SPACE, "veth0");
    await other.must({ kind: "open-ndp", interfaceIndex: index, ranges });
    await other.must({ kind: "set-ranges", ranges });
    await other.must({ kind: "set-ranges", ranges });
  } finally {
    other.process.kill("SIGKILL");
  }
});

test("FrameSocket.flush() sends to the peer in the order of the slots", options, async () => {
  const frames = Array.from({ length: 100 }, (_, i) => request(`10.0.1.${i}`));
  assert.equal(await node.must({ kind: "send", frames }), frames.length);
  const seen = await peer.framesUntil("10.0.1.99");
  assert.deepEqual(
    seen.map((frame) => frame.hex),
    frames,
  );
});

test("openFrameSocket() works in a worker thread and is closed with it", options, async () => {
  const index = interfaceIndex(NODE_SPACE, "veth0");
  const sockets = (): number => inSpace(NODE_SPACE, "cat", "/proc/net/packet").split("\n").length;
  const before = sockets();
  await node.must({ kind: "start-worker", interfaceIndex: index, ranges: POOL });
  assert.equal((await node.take("worker")).state, "open");
  assert.equal(sockets(), before + 1);
  await peer.must({ kind: "send", frames: [request(SENTINEL)] });
  assert.equal((await node.take("worker")).state, "received");
  assert.equal((await node.take("worker")).state, "ended");
  assert.equal(sockets(), before);
});

test("FrameSocket reports a removed interface and stays safe to use", options, async () => {
  const index = interfaceIndex(NODE_SPACE, "veth0");
  ip("-n", NODE_SPACE, "link", "del", "veth0");
  const [error, peerError] = await Promise.all([node.take("error"), peer.take("error")]);
  assert.equal(error.code, "PACKET_SOCKET");
  assert.equal(
    error.message,
    `Cannot receive ARP on interface ${index}: the interface is down or gone (ENETDOWN)`,
  );
  assert.equal(peerError.code, "ENETDOWN");
  assert.equal(await node.must({ kind: "send", frames: [request(SENTINEL)] }), 0);
  await node.must({ kind: "set-ranges", ranges: POOL });
  await node.must({ kind: "close" });
  await node.must({ kind: "close" });
});

test("openFrameSocket() works again on an interface that came back", options, async () => {
  addVeth("veth1");
  await openOn("veth1", POOL);
  await peer.must({ kind: "send", frames: [request(SENTINEL)] });
  assert.equal((await node.framesUntil(SENTINEL)).length, 1);
});
