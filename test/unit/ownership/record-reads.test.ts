// Tests of when the records are read: one read at a time, and a wish meanwhile after it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bootMs, NEVER } from "../../../src/core/time.ts";
import { RecordReads } from "../../../src/ownership/record-reads.ts";

type Step =
  | readonly ["request" | "doubt" | "wake", number]
  | readonly ["ended", number, "read" | "failed"];

function play(steps: readonly Step[]): { sent: number[]; due: number; isReading: boolean } {
  const sent: number[] = [];
  let now = 0;
  const reads = new RecordReads(1_000, () => sent.push(now));
  for (const step of steps) {
    now = step[1];
    if (step[0] === "ended") reads.ended(step[2], bootMs(now));
    else reads[step[0]](bootMs(now));
  }
  return { sent, due: reads.due, isReading: reads.isReading };
}

interface Row {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly sent: readonly number[];
  readonly due: number;
  readonly isReading: boolean;
}

const ROWS: readonly Row[] = [
  {
    name: "lets four times as long pass after a read that took long",
    steps: [
      ["request", 0],
      ["ended", 500, "read"],
      ["request", 600],
      ["wake", 2_499],
      ["wake", 2_500],
    ],
    sent: [0, 2_500],
    due: NEVER,
    isReading: true,
  },
  {
    name: "does not when it was quick",
    steps: [
      ["request", 0],
      ["ended", 250, "read"],
      ["request", 260],
    ],
    sent: [0, 260],
    due: NEVER,
    isReading: true,
  },
  {
    name: "tries a read that failed again after a second",
    steps: [
      ["request", 0],
      ["ended", 50, "failed"],
      ["wake", 1_049],
    ],
    sent: [0],
    due: 1_050,
    isReading: false,
  },
  {
    name: "sends that one when it is due",
    steps: [
      ["request", 0],
      ["ended", 50, "failed"],
      ["wake", 1_050],
    ],
    sent: [0, 1_050],
    due: NEVER,
    isReading: true,
  },
  {
    name: "sends no second read while one is in flight, and asks to be woken",
    steps: [
      ["request", 0],
      ["request", 10],
      ["wake", 1_009],
    ],
    sent: [0],
    due: 1_010,
    isReading: true,
  },
  {
    name: "is never due in the past while a read takes long",
    steps: [
      ["request", 0],
      ["request", 10],
      ["wake", 1_010],
    ],
    sent: [0],
    due: 2_010,
    isReading: true,
  },
  {
    name: "serves a wish of meanwhile later",
    steps: [
      ["request", 0],
      ["request", 10],
      ["ended", 50, "read"],
      ["wake", 1_010],
    ],
    sent: [0, 1_010],
    due: NEVER,
    isReading: true,
  },
  {
    name: "reads again at once when what was in flight was doubted",
    steps: [
      ["request", 0],
      ["doubt", 10],
      ["ended", 50, "read"],
    ],
    sent: [0, 50],
    due: NEVER,
    isReading: true,
  },
  {
    name: "reads again after a second when what was doubted failed",
    steps: [
      ["request", 0],
      ["doubt", 10],
      ["ended", 50, "failed"],
      ["wake", 1_050],
      ["ended", 1_060, "read"],
    ],
    sent: [0, 1_050],
    due: NEVER,
    isReading: false,
  },
  {
    name: "reads at once what is doubted with no read in flight",
    steps: [["doubt", 10]],
    sent: [10],
    due: NEVER,
    isReading: true,
  },
  {
    name: "waits after a slow read, but not for what was doubted, unless again and again",
    steps: [
      ["request", 0],
      ["doubt", 10],
      ["ended", 1_000, "read"],
      ["doubt", 1_100],
      ["ended", 2_000, "read"],
      ["wake", 5_999],
    ],
    sent: [0, 1_000],
    due: 6_000,
    isReading: false,
  },
  {
    name: "reads at once what is doubted while it waits after a slow read",
    steps: [
      ["request", 0],
      ["ended", 1_000, "read"],
      ["request", 1_100],
      ["doubt", 1_200],
    ],
    sent: [0, 1_200],
    due: NEVER,
    isReading: true,
  },
  {
    name: "waits no longer once another was quick: the slow one waited for a cable",
    steps: [
      ["request", 0],
      ["doubt", 10],
      ["ended", 1_000, "read"],
      ["request", 1_002],
      ["ended", 1_006, "read"],
      ["wake", 2_002],
    ],
    sent: [0, 1_000, 2_002],
    due: NEVER,
    isReading: true,
  },
  {
    name: "is done after a read, and due no more",
    steps: [
      ["request", 0],
      ["ended", 50, "read"],
      ["wake", 90_000],
    ],
    sent: [0],
    due: NEVER,
    isReading: false,
  },
];

for (const { name, steps, ...expected } of ROWS) {
  test(`RecordReads ${name}`, () => assert.deepEqual(play(steps), expected));
}
