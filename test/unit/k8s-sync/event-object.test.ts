// Events within the limits of the API server, whatever the note and the name.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wallMs } from "../../../src/core/time.ts";
import {
  cutNote,
  eventBody,
  eventKey,
  eventName,
  eventNamespace,
} from "../../../src/k8s-sync/event-object.ts";

const REGARDING = { kind: "Service", apiVersion: "v1", namespace: "shop", name: "web", uid: "u" };
const EVENT = {
  regarding: REGARDING,
  type: "Warning",
  reason: "AddressTaken",
  action: "Allocate",
  note: "n",
} as const;

test("cutNote() never exceeds 1,024 bytes nor cuts a character", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 900 }), fc.nat(3), (text, pad) => {
      const note = `${"x".repeat(pad)}${text}${text}`;
      const cut = cutNote(note);
      assert.ok(Buffer.byteLength(cut) <= 1024);
      // Of a character that was cut, this one is left; a note may have it as any other.
      if (!text.includes("\uFFFD")) assert.doesNotMatch(cut, /\uFFFD/);
      if (Buffer.byteLength(note) <= 1024) assert.equal(cut, note);
      else assert.ok(cut.endsWith("...") && note.startsWith(cut.slice(0, -3)));
    }),
  );
  assert.equal(Buffer.byteLength(cutNote("x".repeat(5_000))), 1024);
  assert.equal(Buffer.byteLength(cutNote("é".repeat(5_000))), 1023);
});

test("eventName() is a DNS subdomain of at most 253 characters", () => {
  const name = eventName({ ...REGARDING, name: `${"a".repeat(240)}.${"b".repeat(12)}` }, "19f00d");
  assert.match(name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  assert.ok(name.length <= 253);
  assert.equal(eventName(REGARDING, "1f"), "web.1f");
});

test("eventNamespace() is default for the cluster scope", () => {
  assert.equal(eventNamespace({ kind: "Node", apiVersion: "v1", name: "n1" }), "default");
  assert.equal(eventNamespace(REGARDING), "shop");
});

test("eventBody() has a MicroTime and the component", () => {
  const options = { name: "web.1", component: "lbd", instance: "n1", at: wallMs(0) };
  const body = eventBody(EVENT, options) as Record<string, unknown>;
  assert.equal(body.eventTime, "1970-01-01T00:00:00.000000Z");
  assert.equal(body.reportingController, "lbd");
  assert.equal(body.reportingInstance, "n1");
});

test("eventKey() tells objects, reasons and notes apart", () => {
  const same = eventKey({ ...EVENT, regarding: { ...REGARDING } });
  assert.equal(same, eventKey(EVENT));
  const others = [
    { ...EVENT, note: "m" },
    { ...EVENT, reason: "Other" },
    { ...EVENT, regarding: { ...REGARDING, uid: "v" } },
    { ...EVENT, regarding: { ...REGARDING, namespace: "shop2" } },
  ];
  for (const other of others) assert.notEqual(eventKey(other), same);
});
