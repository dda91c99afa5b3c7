// The process that test/netns/packet-socket.test.ts runs inside a network namespace: it opens an
// ARP socket, or a raw packet socket that sends any bytes, does what the messages say, and answers
// each with one message. No checks here.

import { Worker } from "node:worker_threads";
import { openPacketSocket, type PacketSocket } from "../../native/index.ts";
import { type FrameSocket, openFrameSocket } from "../../src/answering/frame-socket.ts";
import { ARP } from "../../src/arp/protocol.ts";
import { ARP_FRAME_BYTES } from "../../src/arp/wire.ts";
import { type Ip, type IpRange, ipFamily, ipToBigInt } from "../../src/core/address.ts";
import { AppError } from "../../src/core/errors.ts";
import { NDP } from "../../src/ndp/protocol.ts";

/** Addresses as text pairs, because BigInt does not pass a JSON channel. */
export type RangeText = readonly [string, string];

export type ChildCommand =
  | { kind: "open-arp" | "open-ndp"; interfaceIndex: number; ranges: readonly RangeText[] }
  | { kind: "open-raw"; interfaceIndex: number; etherType: number }
  | { kind: "start-worker"; interfaceIndex: number; ranges: readonly RangeText[] }
  | { kind: "set-ranges"; ranges: readonly RangeText[] }
  | { kind: "send"; frames: readonly string[] }
  | { kind: "close" };

export type ChildMessage =
  | { kind: "ready" }
  | { kind: "done"; accepted: number; error?: { name: string; code: string; message: string } }
  | { kind: "worker"; state: "open" | "received" | "ended" }
  | { kind: "frames"; frames: readonly { hex: string; length: number }[] }
  | { kind: "error"; code: string; message: string };

const SLOT_BYTES = 2048;
const RAW_SEND_SLOT_BYTES = 16_384;
const ACCEPT_ALL = [{ code: 0x06, jt: 0, jf: 0, k: 0xffffffff }];

let arp: FrameSocket | undefined;
let raw: PacketSocket | undefined;

function toRanges(texts: readonly RangeText[]): IpRange[] {
  return texts.map(([start, end]) => ({
    family: ipFamily(start as Ip),
    start: ipToBigInt(start as Ip),
    end: ipToBigInt(end as Ip),
  }));
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

function report(count: number, slots: readonly Uint8Array[], lengths: Uint32Array): void {
  const frames = slots.slice(0, count).map((slot, i) => {
    const length = lengths[i] ?? 0;
    return {
      hex: Buffer.from(slot.subarray(0, Math.min(length, SLOT_BYTES))).toString("hex"),
      length,
    };
  });
  tell({ kind: "frames", frames });
}

function openRaw(interfaceIndex: number, etherType: number): PacketSocket {
  const socket = openPacketSocket({
    interfaceIndex,
    etherType,
    filter: ACCEPT_ALL,
    sendSlots: 256,
    sendSlotBytes: RAW_SEND_SLOT_BYTES,
    onReadable: (count) => report(count, socket.receiveFrames, socket.receiveLengths),
    onError: (code) => tell({ kind: "error", code, message: code }),
  });
  return socket;
}

function sendRaw(socket: PacketSocket, frames: readonly string[]): number {
  for (const [i, hex] of frames.entries()) {
    const bytes = Buffer.from(hex, "hex");
    socket.sendFrames[i]?.set(bytes);
    socket.sendLengths[i] = bytes.length;
  }
  return socket.send(frames.length);
}

function sendArp(socket: FrameSocket, frames: readonly string[]): number {
  let accepted = 0;
  for (const hex of frames) {
    let slot = socket.reserve(ARP_FRAME_BYTES);
    if (slot === null) {
      accepted += socket.flush();
      slot = socket.reserve(ARP_FRAME_BYTES);
    }
    slot?.set(Buffer.from(hex, "hex"));
  }
  return accepted + socket.flush();
}

/** A worker that is ended, without closing its socket, as soon as it has received a frame. */
function startWorker(interfaceIndex: number, ranges: readonly RangeText[]): void {
  const worker = new Worker(new URL("./packet-socket-worker.ts", import.meta.url), {
    workerData: { interfaceIndex, ranges: toRanges(ranges) },
  });
  worker.on("message", async (message: "open" | number) => {
    if (message === "open") return tell({ kind: "worker", state: "open" });
    tell({ kind: "worker", state: "received" });
    await worker.terminate();
    tell({ kind: "worker", state: "ended" });
  });
}

function obey(command: ChildCommand): number {
  switch (command.kind) {
    case "open-arp":
    case "open-ndp":
      arp = openFrameSocket({
        protocol: command.kind === "open-arp" ? ARP : NDP,
        interfaceIndex: command.interfaceIndex,
        ranges: toRanges(command.ranges),
        onFrames: (batch) => report(batch.count, batch.frames, batch.lengths),
        onError: ({ code, message }) => tell({ kind: "error", code, message }),
      });
      return 0;
    case "open-raw":
      raw = openRaw(command.interfaceIndex, command.etherType);
      return 0;
    case "start-worker":
      startWorker(command.interfaceIndex, command.ranges);
      return 0;
    case "set-ranges":
      arp?.setRanges(toRanges(command.ranges));
      return 0;
    case "send":
      return raw === undefined
        ? arp
          ? sendArp(arp, command.frames)
          : 0
        : sendRaw(raw, command.frames);
    case "close":
      arp?.close();
      raw?.close();
      return 0;
  }
}

// An open socket would keep the process alive after the test has died.
process.on("disconnect", () => process.exit());
process.on("message", (command: ChildCommand) => {
  try {
    tell({ kind: "done", accepted: obey(command) });
  } catch (thrown) {
    const { name, message } = thrown as Error;
    const code = thrown instanceof AppError ? thrown.code : name;
    tell({ kind: "done", accepted: 0, error: { name, code, message } });
  }
});
tell({ kind: "ready" });
