// Tests of the log of frames and decisions: what it keeps, what it lets go, and how it is shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { announcements, encodeArp, probe } from "../../../src/arp/wire.ts";
import type { Ip } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { BootMs, Clock, WallMs } from "../../../src/core/time.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { commandText, newsText } from "../../../src/daemon/decision-text.ts";
import { FrameLog, LOGGED_BYTES } from "../../../src/daemon/frame-log.ts";
import { framesView } from "../../../src/daemon/frames-view.ts";
import { request } from "../daemon-responder/loop-harness.ts";

const MAC = "02:00:00:00:64:0b" as Mac;
const VIP = "192.168.100.200" as Ip;
const CLOCK: Clock = {
  boot: () => bootMs(60_000) as BootMs,
  wall: () => wallMs(Date.parse("2026-01-01T00:01:00Z")) as WallMs,
};

function frameOf(packet: Parameters<typeof encodeArp>[0]): Uint8Array {
  const frame = new Uint8Array(2_048);
  encodeArp(packet, frame);
  return frame;
}

test("FrameLog keeps the rare frames through a storm of usual ones", () => {
  const log = new FrameLog();
  log.frame(request(), 60, "heard-announcement", "eth0", bootMs(1));
  for (let at = 2; at < 10_000; at++) log.frame(request(), 60, "not-ours", "eth0", bootMs(at));
  const { frames } = framesView(log.packed(), CLOCK);
  assert.equal(frames.length, 2_049);
  assert.equal(frames[0]?.outcome, "heard-announcement");
  assert.equal(frames.at(-1)?.at, "2026-01-01T00:00:09.999Z");
  assert.equal(frames[1]?.at, "2026-01-01T00:00:07.952Z");
});

test("FrameLog is bounded in frames of any kind, decisions and their length", () => {
  const log = new FrameLog();
  for (let at = 0; at < 5_000; at++) {
    log.frame(request(), 60, "malformed-short", "eth0", bootMs(at));
    log.frame(request(), 60, "answered", "eth0", bootMs(at));
    log.decision(`${at} ${"x".repeat(1_000)}`, bootMs(at));
  }
  const { rings, decisions } = log.packed();
  assert.deepEqual(
    rings.map(({ outcomes, bytes }) => [outcomes.length, bytes.length]),
    [
      [2_048, 2_048 * LOGGED_BYTES],
      [1_024, 1_024 * LOGGED_BYTES],
    ],
  );
  assert.equal(decisions.length, 1_024);
  assert.ok(decisions.every((text) => text.length === 200));
  const view = framesView(log.packed(), CLOCK);
  assert.match(view.decisions[0]?.text ?? "", /^3976 /);
  assert.match(view.decisions.at(-1)?.text ?? "", /^4999 /);
});

test("FrameLog copies: what is done with the buffer afterwards changes nothing", () => {
  const log = new FrameLog();
  const frame = frameOf(probe(VIP, MAC, null));
  log.frame(frame, 60, "not-ours", "eth0", bootMs(1));
  frame.fill(0xa5);
  const [view] = framesView(log.packed(), CLOCK).frames;
  assert.equal(view?.text, `who has ${VIP}? asks 0.0.0.0 at ${MAC}`);
});

test("framesView() shows no byte that did not arrive", () => {
  const log = new FrameLog();
  const slot = new Uint8Array(2_048).fill(0xa5);
  log.frame(slot, 10, "malformed-short", "eth0", bootMs(1));
  const [view] = framesView(log.packed(), CLOCK).frames;
  assert.deepEqual(
    [view?.length, view?.bytes, view?.text],
    [10, "a5".repeat(10), "malformed-short"],
  );
});

test("framesView() says of a frame that is longer than the buffer how long it was", () => {
  const log = new FrameLog();
  log.frame(frameOf(announcements(VIP, MAC)[0]), 100_000, "malformed-oversized", "e", bootMs(1));
  assert.equal(framesView(log.packed(), CLOCK).frames[0]?.length, 65_535);
});

for (const [name, packet, text] of [
  ["a request", request(VIP), `who has ${VIP}? asks 192.168.100.2 at 02:00:00:00:64:02`],
  [
    "an announcement",
    frameOf(announcements(VIP, MAC)[1]),
    `${VIP} is at ${MAC}, says it to all (reply)`,
  ],
] as const) {
  test(`framesView() shows ${name} in words`, () => {
    const log = new FrameLog();
    log.frame(packet, 60, "not-ours", "eth0", bootMs(1));
    assert.equal(framesView(log.packed(), CLOCK).frames[0]?.text, text);
  });
}

test("commandText() shows no byte of a key", () => {
  const key = new TextEncoder().encode("a-very-secret-beacon-key-of-32-b");
  const text = commandText({ type: "beacon-keys", sending: key, accepted: [key, key] });
  assert.equal(text, "beacon keys: one to send with, 2 accepted");
});

test("commandText() and newsText() stay short for a thousand addresses", () => {
  const entries = Array.from({ length: 1_000 }, () => ({ address: VIP, epoch: epochOf(3) }));
  const claim = commandText({ type: "claim", entries, interfaces: ["eth0"] });
  assert.equal(claim, `claim ${VIP} and 999 more on eth0`);
  const news = newsText({ type: "peer-table", node: "n2", interface: "eth0", entries });
  assert.equal(news, "peer-table n2 on eth0");
});

test("commandText() says nothing of questions", () => {
  assert.equal(commandText({ type: "report", withAnswers: true }), null);
  assert.equal(commandText({ type: "frames" }), null);
});
