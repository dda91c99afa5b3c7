// Deliberate bugs, as patches of a copy of the shipped code. Each must be caught by the invariant
// that it names; a simulator that misses one of them proves nothing.

import type { Patch } from "./patched-code.ts";
import type { Invariant } from "./violation.ts";

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The promises that it breaks: one of them must be seen broken. */
  readonly caughtBy: readonly Invariant[];
  /** Only these faults, when the bug needs a dense dose of them. */
  readonly kinds?: readonly string[];
  /** Where to begin, for one that shows in few seeds (default 1). */
  readonly firstSeed?: number;
}

const ENGINE = "beacon/engine.ts";
const PEER = "beacon/peer.ts";
const MACHINE = "ownership/machine.ts";
const DECIDE = "ownership/decide.ts";
const TABLE = "ownership/vip-table.ts";
const LEAVE = "ownership/leave.ts";
const STAND_IN = "ownership/stand-in.ts";
const WIRE = "ownership/wire.ts";
const NEIGHBOURS = "ownership/neighbours.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the expiry is a timer and not looked at when answering",
    patches: [
      {
        file: "answering/grants.ts",
        from: "return now < this.tenureOn(interfaceName).until;",
        to: "return this.tenureOn(interfaceName).until > 0 && now > 0;",
      },
    ],
    caughtBy: ["tenure"],
  },
  {
    name: "a claim does not carry the resourceVersion",
    patches: [{ file: TABLE, from: "vip.record?.resourceVersion ?? null", to: '"*"' }],
    caughtBy: ["named-by-record", "epochs-grow"],
  },
  {
    name: "nobody is asked on the wire",
    patches: [
      {
        file: PEER,
        from: "this.#answeredAt >= since;",
        to: "this.#answeredAt > NEVER;",
      },
    ],
    caughtBy: ["no-needless-move"],
    kinds: ["beacons-filtered"],
  },
  {
    name: "a minority judges, too",
    patches: [
      {
        file: NEIGHBOURS,
        from: "if (2 * hearing > members) return true;",
        to: "if (members > 0) return true;",
      },
    ],
    caughtBy: ["no-needless-move"],
    kinds: ["partition", "deaf"],
  },
  {
    name: "a claim keeps the Lease's epoch",
    patches: [
      {
        file: TABLE,
        from: "this.#write(vip, node, vip.leaseEpochSeen + 1);",
        to: "this.#write(vip, node, vip.leaseEpochSeen);",
      },
    ],
    caughtBy: ["epochs-grow"],
  },
  {
    name: "a lapsed tenure is woken",
    patches: [
      {
        file: ENGINE,
        from: "if (!open.tenure.takeLapse(now)) return;",
        to: "if (open.tenure.takeLapse(now) || now > 0) return;",
      },
    ],
    caughtBy: ["wakes-up-silent"],
    kinds: ["freeze"],
  },
  {
    name: "a node that slept does not listen before it resumes",
    patches: [
      {
        file: MACHINE,
        from: "this.#vips.lapses = lapses;\n    this.#listening.begin(1, now);",
        to: "this.#vips.lapses = lapses;",
      },
    ],
    caughtBy: ["wakes-up-silent"],
    kinds: ["freeze"],
  },
  {
    name: "a higher epoch on the wire is not yielded to",
    patches: [
      {
        file: DECIDE,
        from: "if (other.epoch !== epoch) return other.epoch > epoch;",
        to:
          "if (other.epoch !== epoch) " +
          "return vip.record?.owner === other.node && other.epoch > epoch;",
      },
    ],
    caughtBy: ["one-answers"],
    kinds: ["api-cut", "api-outage", "partition"],
  },
  {
    name: "a table is asked for once and never again",
    patches: [
      {
        file: PEER,
        from: "else if (isBack) this.#askAt = now;",
        to: "else if (isBack) return;",
      },
      {
        file: PEER,
        from: "else if (this.#askAt === NEVER) this.#askAt",
        to: "else if (this.#askAt === 0) this.#askAt",
      },
    ],
    caughtBy: ["one-answers", "one-after-healing"],
    kinds: ["api-outage", "partition", "frames-lost"],
  },
  {
    name: "silence counts for a tenure that began in it",
    patches: [
      {
        file: TABLE,
        from: "vip.heardHolder = null;",
        to: "",
      },
    ],
    caughtBy: ["no-needless-move"],
    kinds: ["one-way", "mute", "partition"],
  },
  {
    name: "those that fall silent together count as heard",
    patches: [
      {
        file: NEIGHBOURS,
        from: "const isHeard = (name: string): boolean => isExpected || beside.includes(name);",
        to: "const isHeard = (name: string): boolean => isExpected || name !== beside[-1];",
      },
    ],
    caughtBy: ["no-needless-move"],
    kinds: ["partition"],
  },
  {
    name: "the grant comes before the record",
    patches: [
      {
        file: TABLE,
        from: 'this.#emit({ type: "record", change });\n    const isRewriting',
        to: "const isRewriting",
      },
    ],
    caughtBy: ["effects-in-order"],
  },
  {
    name: "a node that leaves is due again at once",
    patches: [
      {
        file: MACHINE,
        from: 'if (this.#stop === "leaving" || this.#stop === "done") return NEVER;',
        to: "",
      },
    ],
    caughtBy: ["no-busy-loop"],
    kinds: ["stop", "api-slow", "api-cut"],
  },
  {
    name: "a claim alone ends the tenure that was offered",
    caughtBy: ["handed-over"],
    patches: [
      {
        file: "ownership/decide.ts",
        from: "const isTaking = offer?.to === other.node && !offer.isAnnounced;",
        to: "const isTaking = false && offer !== null;",
      },
    ],
  },
  {
    name: "an owner whose offer is not taken asks nobody else",
    patches: [
      {
        file: LEAVE,
        from: "const next = to.find((node) =>",
        to: "const next = to.slice(0, 1).find((node) =>",
      },
    ],
    caughtBy: ["handed-over"],
    firstSeed: 13,
  },
  {
    name: "a drained node claims",
    patches: [
      {
        file: DECIDE,
        from: "if (situation.isStopping || situation.drain !== null) return WAIT;",
        to: "if (situation.isStopping) return WAIT;",
      },
      {
        file: DECIDE,
        from: "!situation.isStopping && situation.drain === null;",
        to: "!situation.isStopping;",
      },
    ],
    caughtBy: ["drained-takes-nothing"],
    kinds: ["drain", "crash", "stop"],
  },
  {
    name: "a daemon that restarts asks for no more time than it always has",
    patches: [
      {
        file: ENGINE,
        from: '"restarting" ? this.#options.settings.restartHoldMs : 0;',
        to: '"restarting" ? 0 : 0;',
      },
    ],
    caughtBy: ["restart-keeps"],
  },
  {
    name: "nobody stands in for an owner that restarts",
    patches: [
      {
        file: STAND_IN,
        from: "return situation.candidates.ranked(vip.spec, now, segment)[0] === situation.node;",
        to: "return false;",
      },
    ],
    caughtBy: ["restart-keeps"],
  },
  {
    name: "the stand-in ends with the first beacon of the new process",
    patches: [
      {
        file: STAND_IN,
        from: "const wasNeeded = standsIn?.owner === owner && standsIn.macs.has(segment);",
        to: "const wasNeeded = standsIn?.owner === owner && standsIn.macs.size < 0;",
      },
    ],
    caughtBy: ["restart-keeps"],
    kinds: ["short-pause"],
  },
  {
    name: "a host that misses every request is not gone",
    patches: [
      {
        file: "beacon/host-watch.ts",
        from: "return this.#misses >= HOST_MISSES;",
        to: "return this.#misses > NEVER;",
      },
    ],
    caughtBy: ["replaced-in-time"],
  },
  {
    name: "a daemon that does not come back is waited for without an end",
    patches: [
      {
        file: PEER,
        from: "const isDue = now >= after(this.#heardAt, this.#holdMs);",
        to: "const isDue = !this.isRestarting && now >= after(this.#heardAt, this.#holdMs);",
      },
      {
        file: PEER,
        from: "return Math.min(next, holdUntil) as BootMs;",
        to: "return (this.isRestarting ? next : Math.min(next, holdUntil)) as BootMs;",
      },
    ],
    caughtBy: ["replaced-in-time"],
  },
  {
    name: "the gateway is asked only once the host has missed a request",
    patches: [
      {
        file: PEER,
        from: "return !this.#host.isThere || now >= soon;",
        to: "return !this.#host.isThere && soon > 0;",
      },
    ],
    caughtBy: ["replaced-in-time"],
    kinds: ["short-pause"],
    firstSeed: 187,
  },
  {
    name: "a node that is gone stays in the count for ever",
    patches: [
      {
        file: NEIGHBOURS,
        from: "if (!this.#isMajority(name)) continue;",
        to: "if (!this.#isMajority(name) || nodes.size > 0) continue;",
      },
    ],
    caughtBy: ["replaced-in-time"],
    kinds: ["short-pause"],
    firstSeed: 26,
  },
  {
    name: "the deadline counts from the kernel's answer, not from before the send",
    patches: [
      { file: ENGINE, from: "open.tenure.sent(sentAt, now);", to: "open.tenure.sent(now, now);" },
    ],
    caughtBy: ["tenure"],
    kinds: ["freeze"],
  },
  {
    name: "a new owner announces nothing",
    patches: [
      {
        file: TABLE,
        from: 'epoch, interfaces });\n    this.#emit({ type: "announce", address });\n  }',
        to: "epoch, interfaces });\n  }",
      },
    ],
    caughtBy: ["cache-follows"],
    kinds: ["crash", "stop"],
  },
  {
    name: "a foreign host that uses a VIP is not answered",
    patches: [
      {
        file: WIRE,
        from: 'vip.defendAt = NEVER;\n      this.#ports.emit({ type: "announce", address });',
        to: "vip.defendAt = NEVER;",
      },
    ],
    caughtBy: ["conflict-answered"],
    kinds: ["foreign-host"],
  },
  {
    name: "an owner that is mute on the wire keeps what it has",
    patches: [
      {
        file: "ownership/vacancy.ts",
        from: "if (vip.mute?.epoch === holder.epoch && now < vip.mute.claimUntil) {",
        to: "if (vip.mute?.epoch === holder.epoch && now < -vip.mute.claimUntil) {",
      },
    ],
    caughtBy: ["mute-replaced"],
    kinds: ["short-pause"],
  },
  {
    name: "a Lease is renewed more often than it must be",
    patches: [
      {
        file: "ownership/presence.ts",
        from: "after(sentAt, renewIntervalMs)",
        to: "after(sentAt, renewIntervalMs / 3)",
      },
    ],
    caughtBy: ["api-budget"],
    kinds: ["short-pause"],
  },
  {
    name: "the second address of a Service does not follow the first",
    patches: [
      { file: LEAVE, from: "first !== null && mayFollow(", to: 'first === "" && mayFollow(' },
    ],
    caughtBy: ["together"],
  },
];
