// Tests of what is told of addresses that no node may own: once, and not of what passes by itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { UnownedEvents } from "../../../src/daemon/unowned-events.ts";
import { ip } from "../../support/ipam-requests.ts";

const [A, B] = [ip("10.0.0.1"), ip("2001:db8::1")];

function watched() {
  const state = { reasons: new Map<Ip, string>(), addresses: [A, B], mayTell: true };
  const told: string[] = [];
  const events = new UnownedEvents({
    mayTell: () => state.mayTell,
    addresses: () => state.addresses,
    why: (address) => state.reasons.get(address) ?? null,
    tell: (address, reason) => void told.push(`${address} ${reason}`),
  });
  const look = (times = 1): string[] => {
    for (let i = 0; i < times; i++) events.look();
    return told.splice(0);
  };
  return { state, look };
}

test("UnownedEvents tells a reason once, when it is found twice", () => {
  const { state, look } = watched();
  state.reasons.set(A, "no node");
  assert.deepEqual(look(), []);
  assert.deepEqual(look(), [`${A} no node`]);
  assert.deepEqual(look(5), []);
});

test("UnownedEvents says nothing of what has passed at the next look", () => {
  const { state, look } = watched();
  for (let i = 0; i < 3; i++) {
    state.reasons.set(A, "no node");
    assert.deepEqual(look(), []);
    state.reasons.clear();
    assert.deepEqual(look(), []);
  }
});

test("UnownedEvents tells another reason, and the same one when it comes back", () => {
  const { state, look } = watched();
  state.reasons.set(B, "no carrier");
  assert.deepEqual(look(2), [`${B} no carrier`]);
  state.reasons.set(B, "no node");
  assert.deepEqual(look(2), [`${B} no node`]);
  state.reasons.delete(B);
  look();
  state.reasons.set(B, "no node");
  assert.deepEqual(look(2), [`${B} no node`]);
});

test("UnownedEvents forgets addresses that are freed, and all while another node leads", () => {
  const { state, look } = watched();
  state.reasons.set(A, "no node");
  look();
  state.addresses = [B];
  look();
  state.addresses = [A, B];
  assert.deepEqual(look(), []);
  state.mayTell = false;
  assert.deepEqual(look(3), []);
  state.mayTell = true;
  assert.deepEqual(look(2), [`${A} no node`]);
});
