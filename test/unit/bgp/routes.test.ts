// Which routes are announced for which Services, to whom and how.

import assert from "node:assert/strict";
import test from "node:test";
import { type RoutesInput, routesOf, type ServiceAddresses } from "../../../src/bgp/routes.ts";
import type { BgpAdvertisement } from "../../../src/config/bgp-advertisement.ts";
import type { LabelSelector } from "../../../src/config/label-selector.ts";
import { ip } from "../../support/ipam-requests.ts";

const WEB = service("shop/web", ["10.1.0.1"]);
const PEERS = ["tor-a", "tor-b"];

function ad(name: string, changes: Partial<BgpAdvertisement> = {}): BgpAdvertisement {
  return {
    ...{ name, pools: ["lan"], aggregationLength: 32, aggregationLengthV6: 128, localPref: 0 },
    ...{ communities: [], nodeSelectors: [], peers: [], serviceSelectors: [], ...changes },
  };
}

function labelled(matchLabels: Record<string, string>): LabelSelector {
  return { matchLabels, matchExpressions: [] };
}

function service(
  key: string,
  addresses: readonly string[],
  labels: Readonly<Record<string, string>> = {},
): ServiceAddresses {
  return { key, labels, addresses: addresses.map((one) => ({ address: ip(one), pool: "lan" })) };
}

function routes(changes: Partial<RoutesInput>) {
  const input = { labels: {}, peers: PEERS, advertisements: [ad("all")], services: [WEB] };
  return routesOf({ ...input, ...changes });
}

/** Each prefix with whom it is told to, and how. */
function told(changes: Partial<RoutesInput>): Record<string, Record<string, string>> {
  const all = routes(changes).classes.flatMap(({ prefixes, peers }) =>
    prefixes.map(({ text }) => {
      const how = [...peers].map(
        ([peer, { communities, localPref }]) =>
          [peer, [...communities, ...(localPref === 0 ? [] : [localPref])].join(" ")] as const,
      );
      return [text, Object.fromEntries(how)] as const;
    }),
  );
  return Object.fromEntries(all);
}

test("every address is a route of its own, told to every peer", () => {
  const services = [WEB, service("shop/both", ["10.1.0.2", "fd00::2"])];
  const all = { "tor-a": "", "tor-b": "" };
  assert.deepEqual(told({ services }), {
    "10.1.0.1/32": all,
    "10.1.0.2/32": all,
    "fd00::2/128": all,
  });
});

test("no advertisement, none for the pool, the node or the Service: no route", () => {
  assert.deepEqual(told({ advertisements: [] }), {});
  assert.deepEqual(told({ advertisements: [ad("other", { pools: ["other"] })] }), {});
  const selector = labelled({ rack: "a" });
  assert.deepEqual(told({ advertisements: [ad("a", { nodeSelectors: [selector] })] }), {});
  assert.deepEqual(told({ advertisements: [ad("a", { serviceSelectors: [selector] })] }), {});
});

test("selectors of nodes and Services let those in that have the labels", () => {
  const advertisements = [
    ad("a", {
      nodeSelectors: [labelled({ rack: "b" }), labelled({ rack: "a" })],
      serviceSelectors: [labelled({ expose: "yes" })],
    }),
  ];
  const services = [WEB, service("shop/open", ["10.1.0.2"], { expose: "yes" })];
  assert.deepEqual(Object.keys(told({ labels: { rack: "a" }, advertisements, services })), [
    "10.1.0.2/32",
  ]);
});

test("only the peers that an advertisement names are told", () => {
  const advertisements = [ad("a", { peers: ["tor-b", "elsewhere"] })];
  assert.deepEqual(told({ advertisements }), { "10.1.0.1/32": { "tor-b": "" } });
  const elsewhere = routes({ advertisements: [ad("a", { peers: ["elsewhere"] })] });
  assert.deepEqual([elsewhere.classes, [...elsewhere.announced]], [[], []]);
});

test("a shorter prefix is told once for all that is in it", () => {
  const advertisements = [ad("wide", { aggregationLength: 24, aggregationLengthV6: 64 })];
  const services = [WEB, service("shop/b", ["10.1.0.200", "fd00::1:2"])];
  assert.deepEqual(Object.keys(told({ advertisements, services })), ["10.1.0.0/24", "fd00::/64"]);
});

test("communities of all advertisements are put together, in order, once", () => {
  const advertisements = [
    ad("a", { communities: ["64512:100", "large:64512:2:1"] }),
    ad("b", { communities: ["64512:9", "64512:100", "large:64512:1:9"], peers: ["tor-a"] }),
  ];
  assert.deepEqual(told({ advertisements })["10.1.0.1/32"], {
    "tor-a": "64512:9 64512:100 large:64512:1:9 large:64512:2:1",
    "tor-b": "64512:100 large:64512:2:1",
  });
});

test("two advertisements of different lengths make two routes, each in its own way", () => {
  const wide = { aggregationLength: 24, localPref: 50 };
  assert.deepEqual(told({ advertisements: [ad("a", { localPref: 100 }), ad("b", wide)] }), {
    "10.1.0.1/32": { "tor-a": "100", "tor-b": "100" },
    "10.1.0.0/24": { "tor-a": "50", "tor-b": "50" },
  });
});

test("two local preferences for one route and peer: not announced, others are", () => {
  const selected = (localPref: number, peers: readonly string[]) => ({
    ...{ localPref, peers },
    serviceSelectors: [labelled({ both: "yes" })],
  });
  const services = [WEB, service("shop/both", ["10.1.0.2"], { both: "yes" })];
  const advertisements = [ad("all"), ad("more", selected(100, ["tor-a"]))];
  const found = routes({ advertisements, services });
  assert.deepEqual([...found.announced.keys()], ["shop/web"]);
  assert.deepEqual(
    [...found.conflicts],
    [
      [
        "shop/both",
        'BGPAdvertisement "all" has localPref 0 and BGPAdvertisement "more" has localPref 100 ' +
          'for 10.1.0.2/32 to peer "tor-a": a route has one localPref',
      ],
    ],
  );
  // To different peers they are two things.
  const apart = [ad("all", { peers: ["tor-b"] }), ad("more", selected(100, ["tor-a"]))];
  assert.deepEqual(told({ advertisements: apart, services })["10.1.0.2/32"], {
    "tor-a": "100",
    "tor-b": "",
  });
});

test("Services that share an address and contradict each other: the later one is left out", () => {
  const of = (who: string, localPref: number) =>
    ad(who, { localPref, serviceSelectors: [labelled({ who })] });
  const services = [
    service("shop/b", ["10.1.0.1"], { who: "b" }),
    service("shop/a", ["10.1.0.1"], { who: "a" }),
  ];
  const found = routes({ advertisements: [of("a", 1), of("b", 2)], services });
  assert.deepEqual([...found.announced.keys()], ["shop/a"]);
  assert.deepEqual([...found.conflicts.keys()], ["shop/b"]);
});
