// What a plan says of an address that is announced by BGP, or was.

import assert from "node:assert/strict";
import test from "node:test";
import { announcementChange, type Reach } from "../../../src/daemon/announcement-plan.ts";

const NOWHERE = { nodes: new Map(), reason: 'no L2Advertisement covers pool "lan"' };
const by = (...bgp: readonly string[]): Reach => ({ ...NOWHERE, bgp });

test("what is routed from then on is told, and that nobody answers is no loss", () => {
  assert.equal(announcementChange(by(), by("a")), "announced by BGP: BGPAdvertisement a");
  assert.equal(announcementChange(null, by("a")), null);
  assert.equal(announcementChange(by("a"), by("a")), null);
});

test("another advertisement is told beside the one before", () => {
  const change = announcementChange(by("a"), by("b"));
  assert.equal(change, "announced by BGP: BGPAdvertisement b, and not a");
});

test("what is routed no more is told", () => {
  const change = announcementChange(by("a"), by()) ?? "";
  assert.match(change, /not announced by BGP any more \(BGPAdvertisement a\)/);
});

test("what is answered on a segment, too, is told of both", () => {
  const answered = { nodes: new Map([["n1", null]]), reason: "", bgp: ["a"] };
  assert.equal(announcementChange(by("a"), answered), "announced from then on, by n1");
});
