// What a changed configuration would do, and what another load balancer does otherwise than lbd
// would, field by field.

import { z } from "zod";

const texts = z.array(z.string()).readonly();
const owners = z.array(z.string().nullable()).readonly();
const count = z.int().min(0);

export const PLANNED_CHANGE = z
  .enum(["keeps", "moves", "loses", "gains", "waits"])
  .describe("what becomes of the addresses; waits: there are none, and would be none");

export const PLANNED_SERVICE = z.strictObject({
  service: z.string(),
  change: PLANNED_CHANGE,
  before: texts,
  after: texts,
  ownersBefore: owners.describe("who answers for each address of `before`; null: nobody"),
  ownersAfter: owners.describe("who would for each of `after`, as this node sees the others"),
  why: z.string().nullable().describe("why it may not keep what it has, or gets none"),
  announcement: z.string().nullable().describe("what changes of where they are announced"),
});

export const PLANNED_OBJECT = z.strictObject({
  object: z.string().describe('such as IPAddressPool "metallb-system/lan"'),
  change: z.enum(["new", "changed", "unchanged", "removed"]),
});

export const CONFIG_PLAN = z.strictObject({
  valid: z.boolean().describe("false: it would not be accepted, so that nothing would change"),
  problems: texts.describe("why not"),
  notices: texts.describe("what to know beside it: objects that are not read, and the like"),
  objects: z.array(PLANNED_OBJECT).readonly(),
  summary: z.strictObject({
    keeps: count,
    moves: count,
    loses: count,
    gains: count,
    waits: count,
    announcements: count.describe("Services whose announcement changes"),
  }),
  services: z
    .array(PLANNED_SERVICE)
    .readonly()
    .describe("every Service that lbd looks after, sorted"),
});

export const PLAN_REQUEST = z
  .strictObject({
    files: z
      .array(z.strictObject({ name: z.string(), text: z.string() }))
      .min(1)
      .readonly(),
    replace: z
      .boolean()
      .default(false)
      .describe("they are all there is: what they do not hold is removed"),
  })
  .describe("manifests, as they would be applied");

export const SHADOW_VIP = z.strictObject({
  address: z.string(),
  services: texts,
  chosen: z.string().nullable().describe("the node that lbd would choose; null: none"),
  answering: texts
    .nullable()
    .describe("who answered last: nodes, or MACs of other hosts; null: nobody was asked yet"),
  difference: z.string().nullable().describe("in words; null: none, or it cannot be told here"),
});

export const SHADOW = z.strictObject({
  services: z
    .array(PLANNED_SERVICE)
    .readonly()
    .describe("Services whose addresses lbd would not leave as they are"),
  vips: z.array(SHADOW_VIP).readonly().describe("who answers for each, and who would"),
  differences: count,
});
