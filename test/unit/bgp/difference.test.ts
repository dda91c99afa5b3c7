// From one configuration to another: what FRR is told, and in which order.

import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import { difference } from "../../../src/bgp/difference.ts";
import type { BgpIntent } from "../../../src/bgp/intent.ts";
import { keyOf, parseConfig } from "../../../src/bgp/lines.ts";
import { OWN_INSTANCE, renderFrr } from "../../../src/bgp/render.ts";
import { bfdProfile, intentOf, peer, routeClass } from "./support/intents.ts";

const TOR = peer("tor", { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.1" });
const lines = (intent: BgpIntent) => renderFrr(intent, () => OWN_INSTANCE);
const told = (from: BgpIntent, to: BgpIntent) => difference(lines(from), lines(to));
const announcing = (...prefixes: readonly string[]) =>
  intentOf({ peers: [TOR], classes: [routeClass("all", prefixes, { tor: {} })] });

test("a route that comes or goes is one line", () => {
  const [one, two] = [announcing("10.1.0.1/32"), announcing("10.1.0.1/32", "10.1.0.2/32")];
  const block = ["router bgp 64512", "address-family ipv4 unicast"];
  const ends = ["exit-address-family", "exit"];
  assert.deepEqual(told(one, two), [
    ...[...block, "network 10.1.0.2/32 route-map lbd-net-all", ...ends],
  ]);
  assert.deepEqual(told(two, one), [
    ...[...block, "no network 10.1.0.2/32 route-map lbd-net-all", ...ends],
  ]);
});

test("a value that changes is set anew, and not taken away first", () => {
  const before = { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.1" };
  const of = (more: object) => intentOf({ peers: [peer("tor", { ...before, ...more })] });
  const from = of({ holdTime: "30s", password: "a", connectTime: "5s" });
  const to = of({ holdTime: "60s", password: "b", connectTime: "6s" });
  assert.deepEqual(told(from, to), [
    "router bgp 64512",
    "neighbor 10.9.0.1 password b",
    "neighbor 10.9.0.1 timers 20 60",
    "neighbor 10.9.0.1 timers connect 6",
    "exit",
  ]);
});

test("a session that goes is one command, and an instance without any goes as a whole", () => {
  const other = peer("b", { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.2" });
  const both = intentOf({ peers: [TOR, other] });
  assert.deepEqual(told(both, intentOf({ peers: [TOR] })).slice(0, 3), [
    "router bgp 64512",
    "no neighbor 10.9.0.2",
    "exit",
  ]);
  assert.equal(told(both, intentOf({}))[0], "no router bgp 64512");
});

test("what makes a session comes first, and what lets it speak comes last", () => {
  const commands = told(intentOf({}), announcing("10.1.0.1/32"));
  const at = (text: string) => commands.findIndex((command) => command.includes(text));
  const order = [
    ...["route-map lbd-net-all", "route-map lbd-out-tor permit", "router bgp", "remote-as"],
    ...["description", "route-map lbd-out-tor out", "network 10.1.0.1/32", "activate"],
  ];
  assert.deepEqual(
    order.map(at),
    order.map(at).toSorted((a, b) => a - b),
  );
  assert.ok(order.every((text) => at(text) >= 0));
});

test("a BFD setting that goes back to what is usual is set to that", () => {
  const of = (spec: Readonly<Record<string, unknown>>) =>
    intentOf({
      peers: [peer("tor", { myASN: 1, peerASN: 2, peerAddress: "10.9.0.1", bfdProfile: "fast" })],
      profiles: [bfdProfile("fast", spec)],
    });
  assert.deepEqual(told(of({ receiveInterval: 50, passiveMode: true }), of({})), [
    ...["bfd", "profile lbd-fast", "receive-interval 300", "no passive-mode", "exit", "exit"],
  ]);
});

test("a class of routes that comes leaves the numbers of the others as they are", () => {
  const of = (...names: readonly string[]) =>
    intentOf({
      peers: [TOR],
      classes: names.map((name, at) => routeClass(name, [`10.1.${at}.1/32`], { tor: {} })),
    });
  const commands = told(of("b"), {
    ...of("a", "b"),
    classes: [...of("b").classes, ...of("a").classes],
  });
  assert.equal(commands.filter((command) => /lbd-net-b|permit 65535/.test(command)).length, 0);
});

test("any configuration and any other: told the difference, the one is the other", () => {
  const prefix = fc.integer({ min: 1, max: 9 }).map((n) => `10.1.0.${n}/32`);
  const asn = fc.constantFrom(64512, 64600);
  const intent = fc
    .record({ prefixes: fc.uniqueArray(prefix), pref: fc.nat(3), asn, hold: fc.nat(2) })
    .map(({ prefixes, pref, asn: myASN, hold }) =>
      intentOf({
        peers: [
          peer("tor", {
            ...{ myASN, peerASN: 64513, peerAddress: "10.9.0.1" },
            ...(hold === 0 ? {} : { holdTime: `${hold * 10}s` }),
          }),
        ],
        classes: [routeClass(`c${pref}`, prefixes, { tor: { localPref: pref } })],
      }),
    );
  fc.assert(
    fc.property(intent, intent, (from, to) => {
      const commands = difference(lines(from), lines(to));
      const isSame =
        JSON.stringify(lines(from).map(keyOf).sort()) ===
        JSON.stringify(lines(to).map(keyOf).sort());
      assert.equal(commands.length === 0, isSame);
      // Blocks are closed as often as they are opened.
      const opened = commands.filter((line) => /^(router bgp|route-map|bfd$|profile)/.test(line));
      assert.equal(commands.filter((line) => line === "exit").length, opened.length);
    }),
  );
});

test("what FRR prints is read with its blocks; its sequence numbers are not looked at", () => {
  const text = `Building configuration...
!
router bgp 64512
 neighbor 10.9.0.1 remote-as 64513
 !
 address-family ipv4 unicast
  network 10.1.0.1/32 route-map lbd-net-all
 exit-address-family
exit
!
ip prefix-list lbd-v4-all seq 5 permit 10.1.0.1/32
end
`;
  assert.deepEqual(parseConfig(text).slice(1), [
    { in: [], line: "router bgp 64512" },
    { in: ["router bgp 64512"], line: "neighbor 10.9.0.1 remote-as 64513" },
    { in: ["router bgp 64512"], line: "address-family ipv4 unicast" },
    {
      in: ["router bgp 64512", "address-family ipv4 unicast"],
      line: "network 10.1.0.1/32 route-map lbd-net-all",
    },
    { in: [], line: "ip prefix-list lbd-v4-all permit 10.1.0.1/32" },
  ]);
});
