// What in FRR's configuration is lbd's, what is the administrator's, and what does not go together.

import assert from "node:assert/strict";
import test from "node:test";
import { parseConfig } from "../../../src/bgp/lines.ts";
import { conflictsOf, readRunning } from "../../../src/bgp/running.ts";
import { intentOf, peer } from "./support/intents.ts";

const NONE = () => new Set<string>();
const TOR = peer("tor", { myASN: 64512, peerASN: 64513, peerAddress: "10.9.0.1" });
const WANTED = intentOf({ peers: [TOR] });
const read = (text: string) => readRunning(parseConfig(text), NONE);
const texts = (text: string) => conflictsOf(WANTED, read(text)).map((one) => one.text);

const OWN = `router bgp 64512
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor 10.9.0.1 remote-as 64513
 neighbor 10.9.0.1 description lbd: BGPPeer tor
 address-family ipv4 unicast
  network 10.1.0.1/32 route-map lbd-net-all
  neighbor 10.9.0.1 route-map lbd-in in
 exit-address-family
exit
`;
const THEIRS = `router bgp 64512
 bgp router-id 10.0.0.1
 no bgp network import-check
 neighbor 10.9.0.9 remote-as 64999
 neighbor 10.9.0.1 remote-as 64513
 neighbor 10.9.0.1 description lbd: BGPPeer tor
 address-family ipv4 unicast
  network 192.0.2.0/24
  network 10.1.0.1/32 route-map lbd-net-all
 exit-address-family
exit
`;

test("an instance with nothing but what lbd writes is lbd's as a whole", () => {
  const { ours, instances } = read(OWN);
  assert.equal(instances.get("")?.isForeign, false);
  assert.ok(ours.some(({ line }) => line === "router bgp 64512"));
  assert.equal(ours.length, 7);
});

test("in an instance with anything else only the marked lines are lbd's", () => {
  const { ours, instances } = read(THEIRS);
  const instance = instances.get("");
  assert.equal(instance?.isForeign, true);
  assert.deepEqual([...(instance?.neighbors ?? [])], ["10.9.0.9"]);
  assert.deepEqual(
    ours.map(({ line }) => line),
    [
      "neighbor 10.9.0.1 remote-as 64513",
      "neighbor 10.9.0.1 description lbd: BGPPeer tor",
      "network 10.1.0.1/32 route-map lbd-net-all",
    ],
  );
});

test("lists, maps and profiles are known by their names", () => {
  const text = `ip prefix-list lbd-v4-all seq 5 permit 10.1.0.1/32
ip prefix-list mine seq 5 permit 10.0.0.0/8
route-map lbd-out-tor permit 20
 match ip address prefix-list lbd-v4-all
exit
route-map mine permit 10
exit
bfd
 profile mine
  receive-interval 100
 exit
 profile lbd-fast
  receive-interval 100
 exit
exit
`;
  const lines = read(text).ours.map(({ line }) => line);
  assert.equal(lines.includes("route-map mine permit 10"), false);
  assert.equal(lines.filter((line) => line.includes("mine")).length, 0);
  assert.equal(lines.filter((line) => line === "receive-interval 100").length, 1);
});

test("the main instance stays while one of a VRF is the administrator's", () => {
  const vrf = "router bgp 64600 vrf red\n neighbor 10.8.0.1 remote-as 1\nexit\n";
  const { instances, ours } = read(OWN + vrf);
  assert.equal(instances.get("")?.isForeign, true);
  assert.equal(
    ours.some(({ line }) => line.startsWith("router bgp")),
    false,
  );
});

test("a session that lbd has made stays lbd's when its description was taken away", () => {
  const text = OWN.replace(" neighbor 10.9.0.1 description lbd: BGPPeer tor\n", "");
  const known = readRunning(parseConfig(text), () => new Set(["10.9.0.1"]));
  assert.equal(known.instances.get("")?.isForeign, false);
  assert.equal(read(text).instances.get("")?.isForeign, true);
});

test("an instance that goes with the BGPPeers is no conflict", () => {
  assert.deepEqual(texts(OWN), []);
  assert.deepEqual(texts(THEIRS), []);
  assert.deepEqual(texts(""), []);
  // Its own, with another AS number: it is replaced.
  assert.deepEqual(texts(OWN.replaceAll("64512", "64600")), []);
});

test("another AS number, no import-check, a router ID and a session of theirs are told", () => {
  assert.match(texts(THEIRS.replaceAll("64512", "64600"))[0] ?? "", /set myASN to 64600/);
  const checked = THEIRS.replace(" no bgp network import-check\n", "");
  assert.match(texts(checked)[0] ?? "", /add "no bgp network import-check"/);
  assert.match(
    texts(
      THEIRS.replaceAll("10.9.0.9", "10.9.0.1").replace(/ neighbor \S+ description.*\n/, ""),
    )[0] ?? "",
    /"neighbor 10\.9\.0\.1" of its own/,
  );
  const own = intentOf({
    peers: [
      peer("tor", { myASN: 64512, peerASN: 1, peerAddress: "10.9.0.1", routerID: "10.0.0.2" }),
    ],
  });
  assert.match(conflictsOf(own, read(THEIRS))[0]?.text ?? "", /router ID 10\.0\.0\.1 of its own/);
});
