// The codec of Neighbor Discovery against tshark, which somebody else has written: both read the
// same in the same frames, valid and broken.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { parseIp } from "../../src/core/address.ts";
import { decodeNdp, malformedReason, OFFSET } from "../../src/ndp/wire.ts";
import { run } from "../lab/command.ts";
import { anyNdpPacket, bytesOf } from "../support/ndp-frames.ts";
import { tempDir } from "../support/temp-dir.ts";

const FRAMES = 500;
const SEED = 1;
const TSHARK_MS_MAX = 60_000;

const FIELDS = [
  "icmpv6.type",
  "icmpv6.nd.ns.target_address",
  "icmpv6.nd.na.target_address",
  "icmpv6.opt.linkaddr",
  "icmpv6.nd.na.flag.r",
  "icmpv6.nd.na.flag.s",
  "icmpv6.nd.na.flag.o",
  "ipv6.src",
  "ipv6.dst",
  "icmpv6.checksum.status",
] as const;

type Row = Readonly<Record<(typeof FIELDS)[number], string>>;

/** What tshark reads in each frame. */
async function readByTshark(folder: string, frames: readonly Uint8Array[]): Promise<Row[]> {
  const file = join(folder, "frames.pcap");
  writeFileSync(file, capture(frames));
  const fields = FIELDS.flatMap((field) => ["-e", field]);
  const options = ["-T", "fields", "-E", "separator=;"];
  const argv = ["tshark", "-n", "-r", file, ...options, ...fields];
  const printed = await run(argv, { timeoutMs: TSHARK_MS_MAX });
  return printed
    .trimEnd()
    .split("\n")
    .map((line) => {
      const values = line.split(";");
      return Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? ""])) as Row;
    });
}

/** The classic format of libpcap: a header, and one before each frame. */
function capture(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.flatMap((frame) => {
    const about = Buffer.alloc(16);
    about.writeUInt32LE(frame.length, 8);
    about.writeUInt32LE(frame.length, 12);
    return [about, frame];
  });
  return Buffer.concat([header, ...records]);
}

const isSet = (text: string): boolean => text === "1" || text === "True";

test("tshark reads in any frame what was put into it, and finds its checksum right", async (t) => {
  const packets = fc.sample(anyNdpPacket, { numRuns: FRAMES, seed: SEED });
  const rows = await readByTshark(tempDir(t), packets.map(bytesOf));
  assert.equal(rows.length, FRAMES);
  for (const [i, packet] of packets.entries()) {
    const row = rows[i] ?? assert.fail();
    const isAsking = packet.operation === "solicitation";
    const target = row[`icmpv6.nd.${isAsking ? "ns" : "na"}.target_address`];
    assert.deepEqual(
      {
        type: row["icmpv6.type"],
        target: parseIp(target),
        linkLayer: row["icmpv6.opt.linkaddr"],
        addresses: [parseIp(row["ipv6.src"]), parseIp(row["ipv6.dst"])],
        checksum: row["icmpv6.checksum.status"],
      },
      {
        type: isAsking ? "135" : "136",
        target: packet.target,
        linkLayer: packet.linkLayer ?? "",
        addresses: [packet.sourceIp, packet.destinationIp],
        checksum: "1",
      },
      JSON.stringify(packet),
    );
    if (isAsking) continue;
    const flags = ["r", "s", "o"] as const;
    assert.deepEqual(
      flags.map((flag) => isSet(row[`icmpv6.nd.na.flag.${flag}`])),
      [packet.isRouter, packet.isSolicited, packet.isOverride],
    );
  }
});

test("tshark and decodeNdp() find the same checksums wrong when any byte is another", async (t) => {
  const anyChange = fc.tuple(
    anyNdpPacket,
    fc.integer({ min: OFFSET.sourceIp, max: OFFSET.options - 1 }),
    fc.integer({ min: 1, max: 255 }),
  );
  const frames = fc.sample(anyChange, { numRuns: FRAMES, seed: SEED }).map(([packet, at, by]) => {
    const bytes = bytesOf(packet);
    return bytes.with(at, ((bytes[at] ?? 0) + by) % 256);
  });
  const rows = await readByTshark(tempDir(t), frames);
  let wrong = 0;
  for (const [i, frame] of frames.entries()) {
    const reason = malformedReason(frame, frame.length);
    // Another type or code is refused before: the checksum of what it is not does not matter.
    if (reason === "malformed-operation") continue;
    const isWrong = rows[i]?.["icmpv6.checksum.status"] === "0";
    assert.equal(reason === "malformed-checksum", isWrong, Buffer.from(frame).toString("hex"));
    if (isWrong) wrong += 1;
    else assert.notEqual(decodeNdp(frame), "malformed-checksum");
  }
  assert.ok(wrong > FRAMES / 2, String(wrong));
});
