// Tests of native/index.ts that need no privilege: argument checks, the boot clock, peer
// credentials over a real unix socket, the lookup of the addon. The packet socket itself is tested
// in test/netns.

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import netlink from "netlink";
import {
  bindingPaths,
  bootTimeMs,
  describeErrno,
  ignoreNetlinkOverruns,
  type NativeError,
  openPacketSocket,
  type PacketSocketOptions,
  peerCredentials,
  setRealtimePriority,
} from "../../../native/index.ts";

const DROP_ALL = [{ code: 0x06, jt: 0, jf: 0, k: 0 }];

function options(edit: Record<string, unknown>): PacketSocketOptions {
  const valid = {
    interfaceIndex: 1,
    etherType: 0x0806,
    filter: DROP_ALL,
    onReadable: () => {},
    onError: () => {},
  };
  return { ...valid, ...edit } as unknown as PacketSocketOptions;
}

const open = (edit: Record<string, unknown>) => () => openPacketSocket(options(edit));
const filter = (edit: Record<string, unknown>) => open({ filter: [{ ...DROP_ALL[0], ...edit }] });

const badArguments: readonly [string, () => unknown, string][] = [
  [
    "openPacketSocket() refuses missing options",
    () => openPacketSocket(undefined as unknown as PacketSocketOptions),
    "TypeError: options must be an object, found undefined",
  ],
  [
    "openPacketSocket() refuses a name instead of an index",
    open({ interfaceIndex: "eth0" }),
    "TypeError: interfaceIndex must be a number, found 'eth0'",
  ],
  [
    "openPacketSocket() refuses interface 0, which would be all",
    open({ interfaceIndex: 0 }),
    "RangeError: interfaceIndex must be an integer from 1 to 2147483647, found 0",
  ],
  [
    "openPacketSocket() refuses a fractional index",
    open({ interfaceIndex: 1.5 }),
    "RangeError: interfaceIndex must be an integer from 1 to 2147483647, found 1.5",
  ],
  [
    "openPacketSocket() refuses an EtherType beyond 16 bits",
    open({ etherType: 65536 }),
    "RangeError: etherType must be an integer from 1 to 65535, found 65536",
  ],
  [
    "openPacketSocket() refuses a filter that is no array",
    open({ filter: null }),
    "TypeError: filter must be an array, found null",
  ],
  [
    "openPacketSocket() refuses an empty filter",
    open({ filter: [] }),
    "RangeError: filter.length must be an integer from 1 to 4096, found 0",
  ],
  [
    "openPacketSocket() refuses a filter that is too long",
    open({ filter: Array(4097).fill(DROP_ALL[0]) }),
    "RangeError: filter.length must be an integer from 1 to 4096, found 4097",
  ],
  [
    "openPacketSocket() refuses an instruction that is none",
    open({ filter: [7] }),
    "TypeError: filter[0] must be an object, found number",
  ],
  [
    "openPacketSocket() refuses a jump beyond 8 bits",
    filter({ jt: 256 }),
    "RangeError: filter[0].jt must be an integer from 0 to 255, found 256",
  ],
  [
    "openPacketSocket() refuses a negative constant",
    filter({ k: -1 }),
    "RangeError: filter[0].k must be an integer from 0 to 4294967295, found -1",
  ],
  [
    "openPacketSocket() refuses a missing callback",
    open({ onReadable: undefined }),
    "TypeError: onReadable must be a function, found undefined",
  ],
  [
    "openPacketSocket() refuses a callback that is none",
    open({ onError: [] }),
    "TypeError: onError must be a function, found an array",
  ],
  [
    "openPacketSocket() refuses too many slots",
    open({ sendSlots: 1025 }),
    "RangeError: sendSlots must be an integer from 1 to 1024, found 1025",
  ],
  [
    "openPacketSocket() refuses a slot smaller than an Ethernet header",
    open({ sendSlotBytes: 13 }),
    "RangeError: sendSlotBytes must be an integer from 14 to 65536, found 13",
  ],
  [
    "openPacketSocket() refuses an infinite buffer",
    open({ receiveBufferBytes: Number.POSITIVE_INFINITY }),
    "RangeError: receiveBufferBytes must be an integer from 1 to 1073741823, found Infinity",
  ],
  [
    "peerCredentials() refuses a negative descriptor",
    () => peerCredentials(-1),
    "RangeError: fd must be an integer from 0 to 2147483647, found -1",
  ],
  [
    "peerCredentials() refuses NaN",
    () => peerCredentials(Number.NaN),
    "RangeError: fd must be an integer from 0 to 2147483647, found NaN",
  ],
  [
    "setRealtimePriority() refuses a priority above 99",
    () => setRealtimePriority(100),
    "RangeError: priority must be an integer from 0 to 99, found 100",
  ],
];
for (const [name, call, expected] of badArguments) {
  test(name, () => {
    const [type, message] = expected.split(/: (.*)/s);
    assert.throws(call, { name: type ?? "", message: message ?? "" });
  });
}

test("peerCredentials() refuses a descriptor that is not open", () => {
  assert.throws(() => peerCredentials(1 << 20), { code: "EBADF", syscall: "getsockopt" });
});

test("peerCredentials() refuses a descriptor that is no socket", () => {
  const fd = openSync("/dev/null", "r");
  assert.throws(() => peerCredentials(fd), { code: "ENOTSOCK", syscall: "getsockopt" });
  closeSync(fd);
});

test("peerCredentials() names the process at the other end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lbd-native-"));
  const path = join(folder, "socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = connect(path);
  const socket = await accepted;
  assert.deepEqual(peerCredentials(descriptorOf(socket)), {
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

test("bootTimeMs() has fractions, never goes back, and is the kernel's uptime", () => {
  const first = bootTimeMs();
  const uptimeMs = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
  const second = bootTimeMs();
  assert.ok(first <= second);
  // /proc/uptime is cut to 10 ms.
  assert.ok(uptimeMs > first - 20 && uptimeMs <= second, `${first} ${uptimeMs} ${second}`);
  const samples = Array.from({ length: 100 }, bootTimeMs);
  assert.ok(samples.some((ms) => !Number.isInteger(ms)));
  assert.deepEqual(
    samples,
    samples.toSorted((a, b) => a - b),
  );
});

test("setRealtimePriority() goes back to normal scheduling", () => {
  assert.equal(setRealtimePriority(0), null);
});

test("setRealtimePriority() sets SCHED_FIFO for this thread, or says why not", () => {
  const result = setRealtimePriority(1);
  try {
    // Field 41 of proc_pid_stat(5) is the policy; the name may hold spaces, so count behind it.
    const stat = readFileSync("/proc/thread-self/stat", "utf8");
    const policy = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[38];
    if (result === null) assert.equal(policy, "1");
    else assert.deepEqual([result, policy], ["EPERM", "0"]);
  } finally {
    setRealtimePriority(0);
  }
});

test("openPacketSocket() reports a refused system call by name", () => {
  assert.throws(
    () => openPacketSocket(options({ interfaceIndex: 0x7ffffff0 })),
    (error: NativeError) => ["ENODEV", "EPERM"].includes(error.code) && error.syscall !== "",
  );
});

test("describeErrno() falls back on the name", () => {
  assert.equal(describeErrno("ENODEV"), "no such device");
  assert.equal(describeErrno("EWHATEVER"), "EWHATEVER");
});

test("bindingPaths() takes LBD_NATIVE alone when it is set", () => {
  const before = process.env.LBD_NATIVE;
  process.env.LBD_NATIVE = "/opt/lbd_native.node";
  assert.deepEqual(bindingPaths(), ["/opt/lbd_native.node"]);
  delete process.env.LBD_NATIVE;
  assert.match(bindingPaths()[0] ?? "", /native\/build\/Release\/lbd_native\.node$/);
  if (before !== undefined) process.env.LBD_NATIVE = before;
});

/** Node has no public way to the descriptor of a socket. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

test("ignoreNetlinkOverruns() finds the rtnetlink sockets of the process, and no others", () => {
  const before = ignoreNetlinkOverruns();
  const sockets = [netlink.createRtNetlink(), netlink.createRtNetlink()];
  try {
    assert.equal(ignoreNetlinkOverruns(), before + 2);
  } finally {
    for (const { socket } of sockets) socket.close();
  }
  assert.equal(ignoreNetlinkOverruns(), before);
});
