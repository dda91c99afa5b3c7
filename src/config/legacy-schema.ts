// The shape of the ConfigMap that MetalLB was configured with up to 0.12: keys and types. What the
// values may be is judged as that of the custom resources that they stand for.

import { z } from "zod";

// Texts alone are read (YAML's failsafe schema): a password of digits keeps its leading zeros.
const text = z.string();
const whole = parsed((value) => (/^[-+]?\d{1,15}$/.test(value) ? Number(value) : null), {
  expected: "a whole number",
});
const flag = parsed((value) => BOOLEANS[value.toLowerCase()] ?? null, {
  expected: "true or false",
});
/** As Go's YAML has them. */
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

function parsed<T>(parse: (value: string) => T | null, { expected }: { expected: string }) {
  return z.string().transform((value, context): T => {
    const result = parse(value);
    if (result !== null) return result;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}

const advertisement = z.strictObject({
  "aggregation-length": whole.optional(),
  "aggregation-length-v6": whole.optional(),
  localpref: whole.optional(),
  communities: z.array(text).optional(),
});

const pool = z
  .strictObject({
    name: text,
    protocol: z.enum(["layer2", "bgp"]),
    addresses: z.array(text).min(1),
    "auto-assign": flag.optional(),
    "avoid-buggy-ips": flag.optional(),
    "bgp-advertisements": z.array(advertisement).optional(),
  })
  .superRefine((value, context) => {
    if (value.protocol === "bgp" || (value["bgp-advertisements"] ?? []).length === 0) return;
    const message = "nothing: the pool has protocol layer2";
    context.addIssue({ code: "custom", path: ["bgp-advertisements"], message });
  });

const nodeSelector = z.strictObject({
  "match-labels": z.record(z.string(), text).optional(),
  "match-expressions": z
    .array(z.strictObject({ key: text, operator: text, values: z.array(text).optional() }))
    .optional(),
});

const peer = z.strictObject({
  "my-asn": whole,
  "peer-asn": whole,
  "peer-address": text,
  "source-address": text.optional(),
  "peer-port": whole.optional(),
  "hold-time": text.optional(),
  "keepalive-time": text.optional(),
  "router-id": text.optional(),
  "node-selectors": z.array(nodeSelector).optional(),
  password: text.optional(),
  "bfd-profile": text.optional(),
  "ebgp-multihop": flag.optional(),
});

const bfdProfile = z.strictObject({
  name: text,
  "receive-interval": whole.optional(),
  "transmit-interval": whole.optional(),
  "detect-multiplier": whole.optional(),
  "echo-interval": whole.optional(),
  "echo-mode": flag.optional(),
  "passive-mode": flag.optional(),
  "minimum-ttl": whole.optional(),
});

export const legacySchema = z.strictObject({
  "address-pools": z.array(pool).default([]),
  peers: z.array(peer).default([]),
  "bgp-communities": z.record(z.string(), text).default({}),
  "bfd-profiles": z.array(bfdProfile).default([]),
});

export type Legacy = z.output<typeof legacySchema>;
export type LegacyPool = Legacy["address-pools"][number];
export type LegacyPeer = Legacy["peers"][number];
export type LegacyAdvertisement = NonNullable<LegacyPool["bgp-advertisements"]>[number];
export type LegacyBfdProfile = Legacy["bfd-profiles"][number];
