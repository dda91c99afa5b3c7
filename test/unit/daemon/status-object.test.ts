// Tests of which write comes next for a status object: the table of what is wanted and what is.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusWrite, WantedObject } from "../../../src/daemon/status-object.ts";
import { labelValue, nextWrite, ownerOf } from "../../../src/daemon/status-object.ts";
import { decodeOwnedObject } from "../../../src/k8s-sync/decode.ts";
import type { OwnedObject } from "../../../src/k8s-sync/model.ts";
import { node } from "../../support/kubernetes-objects.ts";

const OWNER = { apiVersion: "v1", kind: "Node", name: "n1", uid: "u1" };
const WANTED: WantedObject = {
  name: "one",
  labels: { a: "b" },
  owner: OWNER,
  status: { node: "n1", interfaces: [{ name: "eth0" }] },
  immutable: ["node"],
};

function actual(status: unknown, metadata: object = {}): OwnedObject {
  const base = { name: "one", uid: "1", labels: { a: "b", theirs: "c" }, ownerReferences: [OWNER] };
  const object = decodeOwnedObject({ metadata: { ...base, ...metadata }, status });
  assert.ok(object !== null);
  return object;
}

const AS_WANTED = actual({ interfaces: [{ name: "eth0" }], node: "n1" });
const ON_ITS_WAY_OUT = { deletionTimestamp: "2026-01-01T00:00:00Z" };

const ROWS: readonly {
  readonly name: string;
  readonly wanted?: WantedObject;
  readonly actual?: OwnedObject;
  readonly write: StatusWrite | null;
}[] = [
  { name: "that nobody wants and that is not there", write: null },
  { name: "that is wanted and not there", wanted: WANTED, write: "create" },
  { name: "that nobody wants any more", actual: AS_WANTED, write: "delete" },
  { name: "that is as it should be", wanted: WANTED, actual: AS_WANTED, write: null },
  { name: "without its status yet", wanted: WANTED, actual: actual(null), write: "status" },
  { name: "with no status to speak of", wanted: WANTED, actual: actual("x"), write: "status" },
  {
    name: "with a status that was edited",
    wanted: WANTED,
    actual: actual({ node: "n1", interfaces: [] }),
    write: "status",
  },
  {
    name: "with another value in a field that cannot be changed",
    wanted: WANTED,
    actual: actual({ node: "n2", interfaces: [{ name: "eth0" }] }),
    write: "delete",
  },
  {
    name: "that has lost a label",
    wanted: WANTED,
    actual: actual(WANTED.status, { labels: {} }),
    write: "metadata",
  },
  {
    name: "that has lost its owner",
    wanted: WANTED,
    actual: actual(WANTED.status, { ownerReferences: [] }),
    write: "metadata",
  },
  {
    name: "of a Node that was made anew",
    wanted: WANTED,
    actual: actual(WANTED.status, { ownerReferences: [{ ...OWNER, uid: "u0" }] }),
    write: "metadata",
  },
  {
    name: "that is on its way out, wanted or not",
    wanted: WANTED,
    actual: actual(null, ON_ITS_WAY_OUT),
    write: null,
  },
  { name: "that goes by itself", actual: actual(null, ON_ITS_WAY_OUT), write: null },
];

for (const { name, wanted, actual: has, write } of ROWS) {
  test(`nextWrite() of an object ${name}: ${write ?? "nothing"}`, () => {
    assert.equal(nextWrite(wanted, has), write);
  });
}

test("labelValue() of a name that is longer than a label may be is its beginning", () => {
  assert.equal(labelValue(`${"a".repeat(62)}.example.com`), "a".repeat(62));
  assert.equal(labelValue("n1.example.com"), "n1.example.com");
});

test("ownerOf() a Node is the Node as it is now, by its UID", () => {
  const object = node("n1");
  const made = { ...object, metadata: { ...object.metadata, uid: "u1" } };
  assert.deepEqual(ownerOf(made), OWNER);
});
