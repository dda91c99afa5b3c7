// A watch's bytes come in any pieces; the lines and events must be the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LineSplitter, parseWatchLine } from "../../../src/k8s-sync/watch-lines.ts";

function split(bytes: Buffer, cuts: readonly number[], splitter = new LineSplitter()): string[] {
  const lines: string[] = [];
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  for (const end of [...at, bytes.length]) {
    lines.push(...splitter.push(bytes.subarray(start, end)));
    start = end;
  }
  return lines;
}

test("LineSplitter a line beyond the limit ends it and keeps no memory", () => {
  const splitter = new LineSplitter(10);
  assert.deepEqual(splitter.push(Buffer.from("short\nthis is far too long")), ["short"]);
  assert.equal(splitter.overflowed, true);
  assert.deepEqual(splitter.push(Buffer.from(" and goes on\nnext\n")), []);
});

test("LineSplitter a complete line beyond the limit does not come out", () => {
  const splitter = new LineSplitter(10);
  assert.deepEqual(splitter.push(Buffer.from("0123456789ab\nnext\n")), []);
  assert.equal(splitter.overflowed, true);
});

test("LineSplitter half a line is pending", () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(Buffer.from('{"a":1}\n{"b"')), ['{"a":1}']);
  assert.equal(splitter.pending, true);
  assert.deepEqual(splitter.push(Buffer.from(":2}\n")), ['{"b":2}']);
  assert.equal(splitter.pending, false);
});

test("LineSplitter empty lines and none", () => {
  const splitter = new LineSplitter();
  assert.deepEqual(splitter.push(Buffer.from("\n\r\n \n")), []);
  assert.deepEqual(splitter.push(new Uint8Array(0)), []);
});

test("LineSplitter any chunking gives the same lines", () => {
  const objects = fc.array(
    fc.jsonValue().map((value) => ({ value })),
    { maxLength: 8 },
  );
  const unicode = fc.array(fc.string({ unit: "grapheme" }).map((text) => ({ text })));
  fc.assert(
    fc.property(fc.oneof(objects, unicode), fc.array(fc.nat()), (values, cuts) => {
      const lines = values.map((value) => JSON.stringify(value));
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      assert.deepEqual(split(bytes, cuts), lines);
      // Byte by byte is the chunking that cuts through every character.
      assert.deepEqual(split(bytes, Array.from(bytes.keys())), lines);
    }),
  );
});

const LINES: readonly { name: string; line: string; kind: string }[] = [
  { name: "no JSON", line: "<html>", kind: "malformed" },
  { name: "half", line: '{"type":"ADD', kind: "malformed" },
  { name: "null", line: "null", kind: "malformed" },
  { name: "array", line: "[]", kind: "malformed" },
  { name: "unknown type", line: '{"type":"RENAMED","object":{}}', kind: "malformed" },
  { name: "no type", line: "{}", kind: "malformed" },
  { name: "error", line: '{"type":"ERROR","object":{"code":410}}', kind: "error" },
  { name: "added", line: '{"type":"ADDED","object":{}}', kind: "event" },
  { name: "bookmark", line: '{"type":"BOOKMARK","object":{}}', kind: "event" },
];

for (const row of LINES) {
  test(`parseWatchLine() ${row.name}`, () => {
    assert.equal(parseWatchLine(row.line).kind, row.kind);
  });
}
