// Tests of the Leases that lbd keeps: their names, what is read from them, and what nodes say of
// their segments, which may be anything.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ipFromBigInt, prefixOf } from "../../../src/core/address.ts";
import { LEASE_EPOCH_MAX } from "../../../src/core/epoch.ts";
import type { LeaseRecord } from "../../../src/daemon/records.ts";
import {
  formatSegments,
  LEADER_LEASE,
  nodeLeaseName,
  parseSegments,
  recordOf,
  rememberedRecords,
  SEGMENTS_ANNOTATION,
  vipLeaseName,
  vipRecord,
} from "../../../src/daemon/records.ts";
import type { Lease } from "../../../src/k8s-sync/model.ts";
import type { Segment } from "../../../src/ownership/types.ts";
import { ip } from "../../support/ipam-requests.ts";
import { lease } from "../../support/kubernetes-objects.ts";

const RENEWED = "2026-01-02T03:04:05.000000Z";
const RENEWED_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

interface Row {
  readonly name: string;
  readonly lease: Lease;
  readonly expected: LeaseRecord;
}

const OTHER = { kind: "other" } as const;
const VIP = { address: ip("10.0.0.1"), owner: null, epoch: 0, resourceVersion: "7" };
const MEMBER = { node: "n1", holder: null, renewal: " ", resourceVersion: "7", segments: null };

const ROWS: readonly Row[] = [
  { name: "a Lease of somebody else", lease: lease("kube-scheduler"), expected: OTHER },
  { name: "a VIP Lease of no address", lease: lease("lbd-vip-lan"), expected: OTHER },
  { name: "a VIP Lease of nothing", lease: lease("lbd-vip-"), expected: OTHER },
  { name: "a VIP Lease of a bad IPv4", lease: lease("lbd-vip-10.0.0.256"), expected: OTHER },
  { name: "a VIP Lease of a cut IPv6", lease: lease("lbd-vip-2001-0db8"), expected: OTHER },
  {
    name: "a VIP Lease without content",
    lease: lease("lbd-vip-10.0.0.1"),
    expected: { kind: "vip", record: VIP },
  },
  {
    name: "a VIP Lease that was released, with odd transitions",
    lease: lease("lbd-vip-10.0.0.1", { holderIdentity: "", leaseTransitions: -3 }),
    expected: { kind: "vip", record: VIP },
  },
  {
    name: "a VIP Lease",
    lease: lease("lbd-vip-2001-0db8-0000-0000-0000-0000-0000-0001", {
      holderIdentity: "n1",
      leaseTransitions: 5,
    }),
    expected: {
      kind: "vip",
      record: { address: ip("2001:db8::1"), owner: "n1", epoch: 5, resourceVersion: "7" },
    },
  },
  {
    name: "a node Lease without content",
    lease: lease("lbd-node-n1"),
    expected: { kind: "member", record: MEMBER },
  },
  {
    name: "a node Lease",
    lease: lease(
      "lbd-node-n1.example",
      { holderIdentity: "n1/abc", renewTime: RENEWED },
      { [SEGMENTS_ANNOTATION]: '[{"interface":"eth0","prefixes":["10.0.0.0/24"]}]' },
    ),
    expected: {
      kind: "member",
      record: {
        node: "n1.example",
        holder: "n1/abc",
        renewal: `n1/abc ${RENEWED_MS}`,
        resourceVersion: "7",
        segments: [{ interface: "eth0", prefixes: [prefixOf(ip("10.0.0.0"), 24)] }],
      },
    },
  },
  {
    name: "the leader's Lease",
    lease: lease(LEADER_LEASE, {
      holderIdentity: "n1",
      renewTime: RENEWED,
      leaseTransitions: 2,
    }),
    expected: {
      kind: "leader",
      record: {
        holder: "n1",
        renewal: `n1 ${RENEWED_MS}`,
        transitions: 2,
        resourceVersion: "7",
      },
    },
  },
];

for (const { name, lease: object, expected } of ROWS) {
  test(`recordOf() reads ${name}`, () => {
    assert.deepEqual(recordOf(object), expected);
  });
}

test("recordOf() sees a renewal in the time alone, and in the holder alone", () => {
  const renewals = [
    { holderIdentity: "n1/a", renewTime: RENEWED },
    { holderIdentity: "n1/a", renewTime: "2026-01-02T03:04:06.000000Z" },
    { holderIdentity: "n1/b", renewTime: RENEWED },
  ].map((spec) => {
    const read = recordOf(lease("lbd-node-n1", spec));
    return read.kind === "member" ? read.record.renewal : assert.fail(read.kind);
  });
  assert.equal(new Set(renewals).size, 3);
});

const anyIp = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ipFromBigInt(4, value)),
  fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map((value) => ipFromBigInt(6, value)),
  fc.constantFrom(ip("::"), ip("::1"), ip("::ffff:10.0.0.1"), ip("0.0.0.0")),
);

test("vipLeaseName() is a name that Kubernetes takes, and that recordOf() reads back", () => {
  fc.assert(
    fc.property(anyIp, (address) => {
      const name = vipLeaseName(address);
      assert.match(name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      assert.deepEqual(recordOf(lease(name)), { kind: "vip", record: { ...VIP, address } });
    }),
  );
});

test("nodeLeaseName() is read back as the node, whatever its name", () => {
  for (const name of ["n1", "a.b-c", "vip-10.0.0.1", "lbd-node-n1"]) {
    const read = recordOf(lease(nodeLeaseName(name)));
    assert.deepEqual(read, { kind: "member", record: { ...MEMBER, node: name } });
  }
});

const SILENT: readonly (readonly [name: string, text: string | undefined])[] = [
  ["no annotation", undefined],
  ["an empty text", ""],
  ["no JSON", "[{"],
  ["an object", "{}"],
  ["null", "null"],
  ["a number", "7"],
  ["an interface that cannot be a text", '[{"interface":{"toString":1}}]'],
];

for (const [name, text] of SILENT) {
  test(`parseSegments() takes ${name} for silence`, () => {
    assert.equal(parseSegments(text), null);
  });
}

const READ: readonly (readonly [name: string, text: string, segments: readonly Segment[]])[] = [
  ["null in the list", "[null]", [{ interface: "", prefixes: [] }]],
  ["no prefixes", '[{"interface":"eth0"}]', [{ interface: "eth0", prefixes: [] }]],
  [
    "bad prefixes beside a good one",
    '[{"interface":"eth0","prefixes":["10.0.0.0/33",null,7,"x","10.0.0.0/8"]}]',
    [{ interface: "eth0", prefixes: [prefixOf(ip("10.0.0.0"), 8)] }],
  ],
  ["an empty list", "[]", []],
];

for (const [name, text, segments] of READ) {
  test(`parseSegments() reads ${name}`, () => {
    assert.deepEqual(parseSegments(text), segments);
  });
}

test("parseSegments() keeps 64 at most", () => {
  const many = Array.from({ length: 100 }, (_, i) => ({ interface: `eth${i}` }));
  const kept = parseSegments(JSON.stringify(many)) ?? [];
  assert.equal(kept.length, 64);
  assert.equal(kept.at(-1)?.interface, "eth63");
});

test("parseSegments() reads back what formatSegments() writes", () => {
  const anyPrefix = fc
    .tuple(anyIp, fc.nat(128))
    .map(([address, length]) => prefixOf(address, address.includes(":") ? length : length % 33));
  const anySegment = fc.record(
    { interface: fc.string(), prefixes: fc.array(anyPrefix) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(anySegment, { maxLength: 64 }), (segments) => {
      assert.deepEqual(parseSegments(formatSegments(segments)), segments);
    }),
  );
});

test("parseSegments() never throws", () => {
  const property = fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    const segments = parseSegments(text);
    for (const { prefixes } of segments ?? []) {
      for (const prefix of prefixes) assert.ok(prefix.start <= prefix.end);
    }
  });
  fc.assert(property, { numRuns: 500 });
});

const UNFOLLOWABLE = [-1, LEASE_EPOCH_MAX, LEASE_EPOCH_MAX + 1, Number.MAX_SAFE_INTEGER];

for (const transitions of UNFOLLOWABLE) {
  test(`vipRecord() takes ${transitions} transitions for none: nobody could follow them`, () => {
    const written = lease("lbd-vip-10.0.0.1", { leaseTransitions: transitions });
    assert.equal(vipRecord(written, ip("10.0.0.1")).epoch, 0);
  });

  test(`rememberedRecords() takes epoch ${transitions} for none, as of a Lease`, () => {
    const rows = [{ address: "10.0.0.1", owner: "n1", epoch: transitions }];
    assert.equal(rememberedRecords(rows)[0]?.epoch, 0);
  });
}

test("vipRecord() believes the last epoch that can be followed", () => {
  const last = LEASE_EPOCH_MAX - 1;
  const written = lease("lbd-vip-10.0.0.1", { leaseTransitions: last });
  assert.equal(vipRecord(written, ip("10.0.0.1")).epoch, last);
});

test("rememberedRecords() are older than whatever the API tells", () => {
  const rows = [
    { address: "10.0.0.1", owner: "n1", epoch: 4 },
    { address: "10.0.0.2", owner: null, epoch: 0 },
  ];
  assert.deepEqual(
    rememberedRecords(rows),
    rows.map((row) => ({ ...row, resourceVersion: "0" })),
  );
});

const DAMAGED = ["", "10.0.0", "10.0.0.1/32", "10.0.0.300", "web", " 10.0.0.1"];

test("rememberedRecords() leaves out a damaged row, and has the rest", () => {
  const rows = [...DAMAGED, "10.0.0.1"].map((address) => ({ address, owner: "n1", epoch: 4 }));
  assert.deepEqual(
    rememberedRecords(rows).map(({ address }) => address),
    ["10.0.0.1"],
  );
});

test("rememberedRecords() takes an epoch that is no number any more for none", () => {
  for (const epoch of [Number.NaN, 1.5, "four" as unknown as number, null as unknown as number]) {
    const rows = [{ address: "10.0.0.1", owner: "n1", epoch }];
    assert.equal(rememberedRecords(rows)[0]?.epoch, 0, String(epoch));
  }
});
