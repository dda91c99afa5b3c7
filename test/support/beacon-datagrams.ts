// Datagrams between daemons as tests need them: a real HMAC, and fast-check's arbitraries of every
// part of a datagram.

import { createHmac } from "node:crypto";
import fc from "fast-check";
import type { DatagramBody } from "../../src/beacon/body.ts";
import type { Datagram, Hmac } from "../../src/beacon/wire.ts";
import { ipFromBigInt, ipv4FromNumber } from "../../src/core/address.ts";
import { epochOf, HOLDOVER_MAX } from "../../src/core/epoch.ts";
import { macAt } from "../../src/core/mac.ts";
import { PEER_STATES, type PeerEntry } from "../../src/core/peer.ts";

export const hmac: Hmac = (key, data) => createHmac("sha256", key).update(data).digest();

const plain = { noNullPrototype: true } as const;
const anyHex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .map((drawn) => Buffer.from(drawn).toString("hex"));
const anyIp4 = fc
  .oneof(fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff))
  .map(ipv4FromNumber);
const anyIp6 = fc
  .oneof(
    // Values that an IPv4 address could have, and those of ::ffff:0:0/96.
    fc.nat(0xffff_ffff).map(BigInt),
    fc.nat(0xffff_ffff).map((value) => 0xffff_0000_0000n + BigInt(value)),
    fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  )
  .map((value) => ipFromBigInt(6, value));
const anyMac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macAt(bytes, 0));

export const anyEpoch = fc
  .tuple(
    fc.oneof(fc.constantFrom(0, 0xffff_ffff), fc.nat(0xffff_ffff)),
    fc.oneof(fc.constantFrom(0, HOLDOVER_MAX), fc.nat(HOLDOVER_MAX)),
  )
  .map(([lease, holdover]) => epochOf(lease, holdover));

export const anyEntry: fc.Arbitrary<PeerEntry> = fc.record(
  { address: fc.oneof(anyIp4, anyIp6), epoch: anyEpoch },
  plain,
);

const anyBeacon: fc.Arbitrary<DatagramBody> = fc
  .tuple(fc.integer({ min: 1, max: 0xffff }), fc.integer({ min: 1, max: 0xffff }))
  .chain(([one, other]) =>
    fc.record(
      {
        kind: fc.constant("beacon"),
        state: fc.constantFrom(...PEER_STATES),
        intervalMs: fc.constant(Math.min(one, other)),
        holdMs: fc.constant(Math.max(one, other)),
        stalledMs: fc.nat(0xffff),
        mac: anyMac,
        digest: anyHex(8),
      },
      plain,
    ),
  );
const anyTable: fc.Arbitrary<DatagramBody> = fc
  .tuple(fc.nat(0xffff), fc.nat(0xffff))
  .filter(([one, other]) => one !== other)
  .chain(([one, other]) =>
    fc.record(
      {
        kind: fc.constant("table"),
        digest: anyHex(8),
        page: fc.constant(Math.min(one, other)),
        pages: fc.constant(Math.max(one, other)),
        entries: fc.array(anyEntry, { maxLength: 40 }),
      },
      plain,
    ),
  );

const anyChange: fc.Arbitrary<DatagramBody> = fc.record(
  {
    kind: fc.constant("table-change"),
    from: anyHex(8),
    to: anyHex(8),
    entries: fc.array(anyEntry, { maxLength: 20 }),
    gone: fc.array(anyEntry, { maxLength: 20 }),
  },
  plain,
);

export const anyBody: fc.Arbitrary<DatagramBody> = fc.oneof(
  anyBeacon,
  fc.record(
    {
      kind: fc.constant("claim"),
      entries: fc.array(anyEntry, { minLength: 1, maxLength: 40 }),
    },
    plain,
  ),
  fc.constant({ kind: "table-request" } as const),
  fc.record({ kind: fc.constantFrom("challenge", "proof"), challenge: anyHex(8) }, plain),
  anyTable,
  anyChange,
);

/** RFC 1123: what a Node can be called. */
export const anyNodeName = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
export const anyKey = fc.uint8Array({ minLength: 32, maxLength: 32 });

export const anyDatagram: fc.Arbitrary<Datagram> = fc.record(
  {
    cluster: anyHex(8),
    node: anyNodeName,
    incarnation: fc.maxSafeNat(),
    sequence: fc.nat(0xffff_ffff),
    address: anyIp4,
    body: anyBody,
  },
  plain,
);
