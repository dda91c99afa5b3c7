// Tests of the kernel's table of neighbours, as the kernel writes it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNeighbours, readNeighbours } from "../../../src/link/neighbour-table.ts";

const TABLE = `IP address       HW type     Flags       HW address            Mask     Device
192.168.100.12   0x1         0x2         02:00:00:00:64:0C     *        eth0
192.168.100.13   0x1         0x0         00:00:00:00:00:00     *        eth0
nonsense
`;

test("parseNeighbours() reads addresses and MACs, and passes over what is neither", () => {
  assert.deepEqual(parseNeighbours(TABLE), [
    { address: "192.168.100.12", mac: "02:00:00:00:64:0c" },
    { address: "192.168.100.13", mac: "00:00:00:00:00:00" },
  ]);
  assert.deepEqual(parseNeighbours(""), []);
});

test("readNeighbours() of a table that cannot be read knows nobody", () => {
  assert.deepEqual(readNeighbours("/nowhere/arp"), []);
  assert.ok(Array.isArray(readNeighbours()));
});
