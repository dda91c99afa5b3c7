// What two daemons of an older lbd sent each other in the lab (test/support/older), which knew four
// of the kinds of datagrams. It is understood here, and what is said here in these kinds is, byte
// for byte, what an older lbd would say, and so understands.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KINDS } from "../../../src/beacon/body.ts";
import { decodeDatagram, encodeDatagram } from "../../../src/beacon/wire.ts";
import { hmac } from "../../support/beacon-datagrams.ts";

interface Recorded {
  readonly key: string;
  readonly datagrams: readonly {
    readonly node: string;
    readonly kind: string;
    readonly bytes: string;
  }[];
}

const FILE = join(import.meta.dirname, "../../support/older/datagrams-version-1.json");
const { key, datagrams } = JSON.parse(readFileSync(FILE, "utf8")) as Recorded;
const KEY = Buffer.from(key, "hex");
const KINDS_THEN = ["beacon", "claim", "table-request", "table"];

test("the recording has every kind that the older lbd knew, of both nodes", () => {
  for (const node of ["node1", "node2"]) {
    const kinds = datagrams.filter((one) => one.node === node).map(({ kind }) => kind);
    assert.deepEqual([...new Set(kinds)].sort(), [...KINDS_THEN].sort());
  }
});

test("kinds that came later have numbers that the older lbd did not use", () => {
  assert.deepEqual(KINDS.slice(0, KINDS_THEN.length), KINDS_THEN);
});

for (const [index, { node, kind, bytes }] of datagrams.entries()) {
  test(`an older lbd's ${kind} (${index}, ${node}) is understood, and said in the same way`, () => {
    const decoded = decodeDatagram(Buffer.from(bytes, "hex"), [KEY], hmac);
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.deepEqual([decoded.value.node, decoded.value.body.kind], [node, kind]);
    assert.equal(Buffer.from(encodeDatagram(decoded.value, KEY, hmac)).toString("hex"), bytes);
  });
}
