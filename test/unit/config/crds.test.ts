// deploy/crds.yaml and the schemas of src/config say the same: fields, types, bounds, what is
// needed, defaults. What the API server makes of samples is tried in test/cluster/crds.test.ts.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { bfdProfileSpecSchema } from "../../../src/config/bfd-profile.ts";
import { bgpAdvertisementSpecSchema } from "../../../src/config/bgp-advertisement.ts";
import { bgpPeerSpecSchema, bgpPeerV1Beta1SpecSchema } from "../../../src/config/bgp-peer.ts";
import { communitySpecSchema } from "../../../src/config/community.ts";
import { l2AdvertisementSpecSchema } from "../../../src/config/l2-advertisement.ts";
import { poolSpecSchema } from "../../../src/config/pool.ts";

/** The part of OpenAPI and JSON Schema that both sides use. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const FILE = join(import.meta.dirname, "../../../deploy/crds.yaml");
const definitions = parseAllDocuments(readFileSync(FILE, "utf8")).map(
  (document) => document.toJS() as Definition,
);

const SPECS: Readonly<Record<string, z.ZodType>> = {
  "IPAddressPool v1beta1": poolSpecSchema,
  "L2Advertisement v1beta1": l2AdvertisementSpecSchema,
  "BGPPeer v1beta1": bgpPeerV1Beta1SpecSchema,
  "BGPPeer v1beta2": bgpPeerSpecSchema,
  "BGPAdvertisement v1beta1": bgpAdvertisementSpecSchema,
  "BFDProfile v1beta1": bfdProfileSpecSchema,
  "Community v1beta1": communitySpecSchema,
};

/** lbd accepts 0, too: nothing converts what was written as v1beta1. */
const WIDER = [".peerPort minimum: 1 and 0"];
/** Labels have operators and values of their own, which LabelSelector's schema leaves open. */
const LOOSER = /Selectors\[\]|preference/;

/** What lbd writes and never reads as configuration. */
const TOLD = ["ConfigurationState", "ServiceL2Status", "ServiceBGPStatus"];

const configuring = definitions.filter(({ spec }) => !TOLD.includes(spec.names.kind));
const served = configuring.flatMap(({ spec: { names, versions } }) =>
  versions.map((version) => ({ ...version, title: `${names.kind} ${version.name}` })),
);

test("deploy/crds.yaml has every kind that is read, in the version that is read", () => {
  assert.deepEqual(served.map(({ title }) => title).sort(), Object.keys(SPECS).sort());
  const stored = served.filter((version) => version.storage && version.served);
  assert.deepEqual(
    stored.map(({ title }) => title).sort(),
    Object.keys(SPECS)
      .filter((title) => title !== "BGPPeer v1beta1")
      .sort(),
  );
});

for (const { title, schema } of served) {
  test(`the custom resource definition of ${title} agrees with the schema`, () => {
    const spec = schema.openAPIV3Schema.properties?.spec;
    const zod = SPECS[title];
    assert.ok(spec !== undefined && zod !== undefined);
    const own = z.toJSONSchema(zod, { io: "input", unrepresentable: "any" }) as Schema;
    const found = differences("", spec, own);
    const expected = title === "BGPPeer v1beta2" ? WIDER : [];
    assert.deepEqual(found, expected);
  });
}

function differences(path: string, crd: Schema, own: Schema): string[] {
  const compared = ["type", "minimum", "maximum", "minItems"] as const;
  const plain = compared.flatMap((key) => {
    const [left, right] = [boundOf(crd[key]), boundOf(own[key])];
    return left === right ? [] : [`${path} ${key}: ${left} and ${right}`];
  });
  if (crd.default !== undefined && crd.default !== own.default) {
    plain.push(`${path} default: ${crd.default} and ${own.default}`);
  }
  if (!LOOSER.test(path) && `${crd.enum}` !== `${own.enum}`) plain.push(`${path} enum`);
  const [left, right] = [crd.properties ?? {}, own.properties ?? {}];
  const required = [sorted(crd.required), sorted(own.required)].map(String);
  if (required[0] !== required[1]) plain.push(`${path} required: ${required.join(" and ")}`);
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  const inner = names.flatMap((name) => {
    const [a, b] = [left[name], right[name]];
    if (a === undefined || b === undefined) return [`${path}.${name} on one side`];
    return differences(`${path}.${name}`, a, b);
  });
  const items = crd.items && own.items ? differences(`${path}[]`, crd.items, own.items) : [];
  return [...plain, ...inner, ...items];
}

/** zod writes the bounds of what JSON can hold; OpenAPI leaves them out. */
function boundOf(value: unknown): unknown {
  return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER ? undefined : value;
}

function sorted(names: readonly string[] = []): string[] {
  return [...names].sort();
}
