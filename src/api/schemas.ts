// What the daemon tells over its socket, field by field: the types of types.ts and the OpenAPI
// document are made from it. Within one `schema` a field is only ever added.

import { z } from "zod";
import { COUNT_MAX } from "./types.ts";

const text = (meaning: string) => z.string().describe(meaning);
const flag = (meaning: string) => z.boolean().describe(meaning);
const count = (meaning: string) => z.int().min(0).describe(meaning);
const texts = (meaning: string) => z.array(z.string()).readonly().describe(meaning);
const orNull = <T extends z.ZodType>(schema: T, meaning: string) =>
  schema.nullable().describe(meaning);
const listOf = <T extends z.ZodType>(schema: T, meaning: string) =>
  z.array(schema).readonly().describe(meaning);

const at = z.iso.datetime({ offset: true }).describe("RFC 3339");
const nameOrNull = z.string().nullable();

export const HEALTH = z
  .enum(["ok", "degraded", "failing"])
  .describe("ok: nothing to do; degraded: works, but needs a hand; failing: something does not");

export const FINDING = z
  .strictObject({
    health: HEALTH,
    what: text("in one sentence"),
    cause: text("why"),
    next: text("the next command to run, or what to change"),
  })
  .describe("one thing that is not as it should be; with health ok only to be known");

export const STANDING_FINDING = FINDING.extend({
  since: at.describe("since when this daemon has seen it, RFC 3339"),
});

export const STATUS = z.strictObject({
  node: text("this node"),
  version: text("of the daemon"),
  health: HEALTH,
  findings: listOf(STANDING_FINDING, "worst first"),
  uptimeSeconds: count("since the start of the daemon"),
  cluster: orNull(z.string(), "UID of the namespace kube-system; null: of no cluster yet"),
  api: z.strictObject({
    server: text("the Kubernetes API server; empty before there is a kubeconfig"),
    reachable: z.boolean(),
    lastContactSecondsAgo: orNull(z.number(), "null: never reached since the start"),
  }),
  holdover: flag("Leases cannot be written: failover goes on by beacons alone"),
  leader: z.strictObject({
    node: orNull(z.string(), "the node that gives out addresses; null: none is known"),
    isThisNode: z.boolean(),
  }),
  peers: z.strictObject({
    known: count("other nodes of the cluster"),
    heard: count("of those, the ones whose beacons arrive here"),
  }),
  config: z.strictObject({
    valid: flag("false: what the cluster has is refused, the last valid one is in use"),
    pools: count("pools in use"),
    advertisements: count("advertisements in use"),
    problems: texts("all that is wrong with what the cluster has, up to a thousand lines"),
  }),
  vips: z.strictObject({
    total: count("addresses that Services have"),
    ownedHere: count("those that this node owns"),
    withoutOwner: count("those that nobody owns, and somebody should"),
  }),
  process: z.strictObject({
    cpuSeconds: z.number().describe("user and system time since the start"),
    rssBytes: count("resident memory"),
  }),
  counters: z
    .record(z.string(), z.number())
    .describe("counters by name: frames by outcome, announcements, Events"),
});

export const VIP = z.strictObject({
  address: text("the external address"),
  pool: text("its pool; empty: it is in none"),
  services: texts("namespace/name of those that have it"),
  owner: orNull(z.string(), "the node that its Lease names"),
  epoch: count("of the tenure; the leaseTransitions of its Lease"),
  here: z
    .enum(["owning", "claiming", "releasing", "idle"])
    .describe("what this node does about it"),
  interfaces: texts("on which this node answers"),
  bgp: texts("BGPAdvertisements that announce it"),
  answered: orNull(z.int().min(0), "requests answered here since it was taken; null: not owned"),
});

export const SERVICE = z.strictObject({
  service: text("namespace/name"),
  addresses: texts("of its status"),
  pool: orNull(z.string(), "that they were taken from"),
  requested: texts("addresses that it asks for"),
  owners: listOf(nameOrNull, "of each of `addresses`, in their order; null: nobody"),
  pending: orNull(z.string(), "why it has no address; only the leader knows"),
});

const FAMILY_COUNT = orNull(
  z.int().min(0).max(COUNT_MAX),
  `${COUNT_MAX} stands for more, too; null: the pool has none of the family`,
);
export const FAMILY_COUNTS = z.strictObject({ ipv4: FAMILY_COUNT, ipv6: FAMILY_COUNT });

export const POOL = z.strictObject({
  pool: text("name of the IPAddressPool"),
  addresses: texts("its ranges"),
  autoAssign: flag("also for Services that do not ask for it"),
  avoidBuggyIPs: flag("without .0 and .255"),
  assigned: FAMILY_COUNTS.describe("addresses that Services have"),
  available: FAMILY_COUNTS.describe("neither assigned nor withheld"),
  withheld: listOf(
    z.strictObject({ address: z.string(), because: z.string() }),
    "addresses that are never handed out, with the reason",
  ),
  advertisements: texts("that announce it"),
});

export const DRAIN = z.strictObject({
  node: text("this node"),
  draining: flag("it hands over what it has and takes nothing"),
  cause: orNull(z.enum(["requested", "cordoned"]), "null: it is not drained"),
  force: flag("addresses are let go of even when no other node takes them"),
  remaining: listOf(
    z.strictObject({ address: z.string(), reason: z.string() }),
    "while it is drained: what is still answered here, with what keeps it",
  ),
});

export const MOVE = z
  .strictObject({ address: z.string(), from: z.string(), to: z.string() })
  .describe("an address that is not with the node that ranks first for it");

export const NODE = z.strictObject({
  node: z.string(),
  member: z
    .enum(["alive", "suspect", "down", "stopped", "never-seen"])
    .describe("by its node Lease"),
  daemon: orNull(
    z.string(),
    "what its beacons say: live, draining, restarting, stopping, deaf; filtered: none arrive, " +
      "though its host answers; null: none",
  ),
  jitterMs: orNull(z.number(), "how late its beacons come, on average; null: none come"),
  owned: count("addresses whose Lease names it"),
  excluded: orNull(z.string(), "why it is not eligible at all"),
});

export const BGP_PEER = z
  .strictObject({
    peer: text("name of the BGPPeer"),
    neighbor: text("its address, or the interface at whose other end it is"),
    vrf: text("empty: the host's main routing table"),
    state: text("of the session, RFC 4271: Established, Active, Connect, Idle ...; unknown"),
    up: flag("the session is established"),
    upSeconds: orNull(z.int().min(0), "null: it is not"),
    asn: orNull(z.number(), "AS number of the peer, as it says; null: not known"),
    sent: count("routes that the peer was told of"),
    received: count("routes of the peer that were accepted"),
    bfd: orNull(z.string(), "up, down, init, shutdown; null: not watched by BFD"),
    problem: orNull(z.string(), "why it is not up, or not configured; null: it is up"),
  })
  .describe("a BGP session of this node");

export const BGP_ROUTE = z
  .strictObject({
    prefix: text("CIDR"),
    advertisements: texts("BGPAdvertisements that it comes from"),
    services: texts("namespace/name of those with an address in it"),
    peers: listOf(
      z.strictObject({
        peer: z.string(),
        communities: texts("n:n, or large:n:n:n"),
        localPref: count("0: the routing daemon's own"),
      }),
      "whom it is told to, and how",
    ),
  })
  .describe("a route that this node announces by BGP");

export const HISTORY = z.strictObject({
  at,
  address: z.string(),
  change: text("gained, lost, moved (seen between others), conflict, wire"),
  node: orNull(z.string(), "whom it is about"),
  epoch: count("of the tenure"),
  cause: text("why, as one word"),
  detail: text("more of it, in words"),
});

export const EXPLAIN = z.strictObject({
  subject: text("a Service or an address"),
  answer: text("in one sentence"),
  steps: listOf(
    z.strictObject({
      step: z.enum(["service", "pool", "advertisement", "bgp", "node", "owner", "wire"]),
      state: z.enum(["ok", "no", "problem", "unknown"]),
      text: z.string(),
    }),
    "the chain of causes, from the Service to the wire",
  ),
});

export const FRAMES = z
  .strictObject({
    frames: listOf(
      z.strictObject({
        at,
        interface: z.string(),
        outcome: text("what became of it; the counters have the same names"),
        length: count("true length in bytes"),
        text: text("in words"),
        bytes: text("the first 128 bytes, hexadecimal"),
      }),
      "that the responder thread looked at last, oldest first",
    ),
    decisions: listOf(
      z.strictObject({ at, text: z.string() }),
      "of the ownership machine, oldest first",
    ),
  })
  .describe("what the responder thread saw and decided last");

export const WIRE = z
  .strictObject({
    address: z.string(),
    interface: text("on which it was asked for"),
    owner: orNull(z.string(), "the node that its Lease names"),
    ownedHere: flag("this node answers for it, which it does not hear itself"),
    answers: listOf(
      z.strictObject({
        mac: z.string(),
        node: orNull(z.string(), "whose MAC it is; null: no node's"),
      }),
      "whoever answered on the wire within half a second",
    ),
  })
  .describe("who answers for an address");

export const STREAM_EVENT = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("change"), change: HISTORY }).describe("a row of the history"),
    z
      .strictObject({
        type: z.literal("health"),
        health: HEALTH,
        findings: listOf(STANDING_FINDING, "all of them, worst first"),
      })
      .describe("what is wrong has changed; sent once at the beginning, too"),
    z
      .strictObject({ type: z.literal("dropped"), count: count("events that are missing here") })
      .describe("the reader was too slow; what it missed is in the history"),
  ])
  .describe("one message of the event stream");
