// Tests of the conversion of MetalLB's old ConfigMap to custom resources: what is printed, the ways
// in which the ConfigMap may come, and names that Kubernetes does not take.

import assert from "node:assert/strict";
import { test } from "node:test";
import { stringify } from "yaml";
import { legacyResources } from "../../../src/config/legacy-resources.ts";
import { formatProblem } from "../../../src/core/problem.ts";
import { FULL, FULL_CONVERTED, SMALL } from "../../support/legacy-configs.ts";

function converted(text: string, namespace?: string) {
  const result = legacyResources(text, namespace);
  assert.ok(result.ok, result.ok ? "" : result.problems.map(formatProblem).join("\n"));
  return result.value;
}

const printed = (text: string): string =>
  converted(text)
    .resources.map((resource) => stringify(resource))
    .join("---\n");

function configMap(config: string, metadata: object = { name: "config" }): object {
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { config } };
}

test("legacyResources() converts every key, names included", () => {
  assert.equal(printed(FULL), FULL_CONVERTED);
  assert.deepEqual(converted(FULL).notices, [
    'pool "lan_Pool" becomes "lan-pool": change it in annotations of Services, too',
    "passwords are printed as they are: a Secret (passwordSecret) keeps them better",
  ]);
});

for (const [name, text] of [
  ["a ConfigMap in YAML", stringify(configMap(FULL))],
  ["a ConfigMap in JSON", JSON.stringify(configMap(FULL))],
  ["a ConfigMap behind its Namespace", `kind: Namespace\n---\n${stringify(configMap(FULL))}`],
] as const) {
  test(`legacyResources() takes ${name} as it takes the text alone`, () => {
    assert.equal(printed(text), FULL_CONVERTED);
  });
}

test("legacyResources() has the namespace of the ConfigMap, or the one that is asked for", () => {
  const text = JSON.stringify(configMap(SMALL, { name: "config", namespace: "balancers" }));
  const namespaces = (given?: string) =>
    new Set(converted(text, given).resources.map(({ metadata }) => metadata.namespace));
  assert.deepEqual(namespaces(), new Set(["balancers"]));
  assert.deepEqual(namespaces("other"), new Set(["other"]));
  assert.deepEqual(converted(SMALL).notices, []);
});

const POOLS = (...names: readonly string[]): string =>
  JSON.stringify({
    "address-pools": names.map((name, index) => ({
      ...{ name, protocol: "layer2", addresses: [`10.0.${index}.0/24`] },
    })),
  });
const PREFIX = 'ConfigMap "metallb-system/config" config';
const EXPECTED = "expected names that differ in letters, digits and dashes";

const REFUSED: readonly (readonly [name: string, text: string, problem: string])[] = [
  [
    "a ConfigMap without the key",
    JSON.stringify({ ...configMap(""), data: { conf: "" } }),
    `${PREFIX}: found nothing, expected the configuration, as YAML`,
  ],
  [
    "a ConfigMap that is not valid",
    JSON.stringify(configMap("address-pools: x", { name: "old", namespace: "balancers" })),
    'ConfigMap "balancers/old" config.address-pools: found "x", expected a value of type array',
  ],
  [
    "names that become one",
    POOLS("lan", "LAN"),
    `${PREFIX}: found the names "lan" and "LAN", which are both "lan" in Kubernetes, ${EXPECTED}`,
  ],
  [
    "a name of digits",
    POOLS("42"),
    `${PREFIX}: found the name "42", of which "" is left, ${EXPECTED}`,
  ],
  [
    "a name with a space",
    POOLS("my lan"),
    `${PREFIX}: found the name "my lan", of which "my lan" is left, ${EXPECTED}`,
  ],
];

for (const [name, text, problem] of REFUSED) {
  test(`legacyResources() refuses ${name}`, () => {
    const result = legacyResources(text);
    assert.deepEqual(result.ok ? [] : result.problems.map(formatProblem), [problem]);
  });
}
