// Tests of where the configuration comes from: custom resources, MetalLB's old ConfigMap, or both.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import {
  type RawConfig,
  type RawResource,
  rawConfigOf,
} from "../../../src/config/cluster-config.ts";
import { parseConfigSources } from "../../../src/config/config-sources.ts";
import { formatProblem } from "../../../src/core/problem.ts";
import { FULL, FULL_CONVERTED, SMALL } from "../../support/legacy-configs.ts";

const SOURCE = { namespace: "metallb-system", name: "config" };
const NONE: RawConfig = { pools: [], advertisements: [] };
const PREFIX = 'ConfigMap "metallb-system/config" config';

function sources(text: string | null, resources: RawConfig = NONE) {
  const result = parseConfigSources({ resources, legacy: { ...SOURCE, text } });
  return result.ok
    ? { pools: result.value.pools.map(({ name }) => name) }
    : { problems: result.problems.map(formatProblem) };
}

/** FULL as custom resources, as the API would give them. */
function converted(): Required<RawConfig> {
  const all = parseAllDocuments(FULL_CONVERTED).map((document) => document.toJS());
  const resources = rawConfigOf((kind) =>
    all
      .filter((one) => one.kind === kind)
      .map(({ apiVersion, metadata, spec }) => ({ ...metadata, labels: {}, apiVersion, spec })),
  );
  return { ...resources, nodes: [] };
}

const SMALL_POOL = { name: "small", labels: {}, spec: { addresses: ["10.8.0.0/24"] } };

test("parseConfigSources() without a ConfigMap takes the custom resources", () => {
  const result = parseConfigSources({ resources: converted(), legacy: null });
  assert.ok(result.ok);
  assert.equal(result.value.pools.length, 3);
});

test("parseConfigSources() without custom resources takes the ConfigMap", () => {
  assert.deepEqual(sources(SMALL), { pools: ["default"] });
  assert.deepEqual(sources(""), { pools: [] });
});

test("parseConfigSources() with both takes the resources when both say the same", () => {
  assert.deepEqual(sources(FULL, converted()), { pools: ["edge", "lan-pool", "plain"] });
});

test("parseConfigSources() with an empty ConfigMap, or one for something else, ignores it", () => {
  const resources = { ...NONE, pools: [SMALL_POOL] };
  assert.deepEqual(sources(" \n", resources), { pools: ["small"] });
  assert.deepEqual(sources(null, resources), { pools: ["small"] });
});

test("parseConfigSources() refuses a ConfigMap without the key where nothing else is", () => {
  const expected = `${PREFIX}: found nothing, expected the configuration, as YAML`;
  assert.deepEqual(sources(null), { problems: [expected] });
});

test("parseConfigSources() tells what is wrong on both sides at once", () => {
  const pools = [{ ...SMALL_POOL, spec: { addresses: ["x"] } }];
  const { problems } = sources("peers: {}", { ...NONE, pools });
  assert.deepEqual(problems, [
    'IPAddressPool "small" spec.addresses[0]: found "x", expected a CIDR or a range',
    `${PREFIX}.peers: found {}, expected a value of type array`,
  ]);
});

const EXPECTED =
  "expected what the custom resources say, or nothing: delete the ConfigMap, or the resources " +
  '("lbctl config convert" shows what it would be as resources)';

type Change = (all: Required<RawConfig>) => Partial<RawConfig>;
/** The resource with some fields of its spec changed. */
function changed(raw: RawResource, fields: object): RawResource {
  return { ...raw, spec: { ...(raw.spec as object), ...fields } };
}

// biome-ignore format: a table
const DIFFERENCES: readonly (readonly [string, Change, readonly string[]])[] = [
  ["a pool of the ConfigMap alone", ({ pools }) => ({ pools: pools.slice(0, 2) }), [
    'pool "plain" that the custom resources do not have']],
  ["a pool of the resources alone", ({ pools }) => ({ pools: [...pools, SMALL_POOL] }), [
    'pool "small" missing, which the custom resources have']],
  ["an advertisement that is narrowed", ({ advertisements }) => ({
    advertisements: advertisements.map((ad) => changed(ad, { interfaces: ["eth0"] })) }), [
    'pool "lan-pool" that differs']],
  ["a peer with another time", ({ bgpPeers }) => ({ bgpPeers: bgpPeers.map((peer) =>
    peer.name === "peer2" ? changed(peer, { holdTime: "60s" }) : peer) }), [
    'peer "10.9.0.2" that differs']],
  ["no peers", () => ({ bgpPeers: [] }), [
    'peer "10.9.0.1" that the custom resources do not have',
    'peer "10.9.0.2" that the custom resources do not have']],
  ["another value of a community", ({ communities }) => ({ communities: communities.map((one) =>
    changed(one, { communities: [{ name: "quiet", value: "1:1" }] })) }), [
    'community "quiet" that differs', 'pool "edge" that differs']],
  ["another profile", ({ bfdProfiles }) => ({
    bfdProfiles: bfdProfiles.map((one) => changed(one, { minimumTtl: 11 })) }), [
    'BFD profile "fast" that differs']],
];

for (const [name, change, found] of DIFFERENCES) {
  test(`parseConfigSources() refuses both sources with ${name}`, () => {
    const resources = { ...converted(), ...change(converted()) };
    const problems = found.map((one) => `${PREFIX}: found ${one}, ${EXPECTED}`);
    assert.deepEqual(sources(FULL, resources), { problems });
  });
}
