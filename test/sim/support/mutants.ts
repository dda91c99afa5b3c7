// Deliberate bugs, as patches of a copy of the shipped code. Each must be caught by the invariant
// that it names; a simulator that misses one of them proves nothing.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Code } from "./code.ts";
import type { Invariant } from "./violation.ts";

export interface Patch {
  /** Below src. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The promises that it breaks: one of them must be seen broken. */
  readonly caughtBy: readonly Invariant[];
  /** Only these faults, when the bug needs a dense dose of them. */
  readonly kinds?: readonly string[];
  /** Where to begin, for one that shows in one seed of a thousand (default 1). */
  readonly firstSeed?: number;
}

const PRESENCE = "ownership/presence.ts";
const MACHINE = "ownership/machine.ts";
const TABLE = "ownership/vip-table.ts";
const MEMBERS = "ownership/members.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the deadline is counted from the reply",
    patches: [
      { file: PRESENCE, from: "after(sentAt, renewDeadlineMs)", to: "after(now, renewDeadlineMs)" },
      { file: PRESENCE, from: "this.#renewedAt = sentAt;", to: "this.#renewedAt = now;" },
    ],
    caughtBy: ["tenure"],
    kinds: ["stall", "api-slow"],
  },
  {
    name: "the expiry is a timer and not looked at when answering",
    patches: [
      { file: "arp/responder.ts", from: "&& now < this.#tenureUntil;", to: "&& now < Infinity;" },
    ],
    caughtBy: ["tenure"],
  },
  {
    name: "a claim does not carry the resourceVersion",
    patches: [{ file: TABLE, from: "vip.record?.resourceVersion ?? null", to: '"*"' }],
    caughtBy: ["named-by-record", "epochs-grow"],
  },
  {
    name: "an expired Lease is not read once more",
    patches: [
      { file: MEMBERS, from: 'if (confirmedDownAt === null) return "suspect";', to: "" },
      {
        file: MEMBERS,
        from: 'return now < after(confirmedDownAt, this.#leaseDurationMs) ? "down" : "suspect";',
        to: 'return confirmedDownAt === null || now >= 0 ? "down" : "suspect";',
      },
    ],
    caughtBy: ["named-by-record"],
    kinds: ["watch-stalled", "carrier-lost", "crash"],
  },
  {
    name: "a tenure never lapses",
    patches: [
      {
        file: MACHINE,
        from: "if (now < this.#presence.tenureUntil) return;",
        to: "if (now < Infinity) return;",
      },
      { file: PRESENCE, from: "|| now >= this.#tenureUntil) return false;", to: ") return false;" },
      { file: PRESENCE, from: "after(now, this.#timings.holdOnMs)", to: "after(now, 1e9)" },
    ],
    caughtBy: ["tenure"],
  },
  {
    name: "a lapsed tenure is woken",
    patches: [
      {
        file: MACHINE,
        from: "if (now < this.#presence.tenureUntil) return;",
        to: "if (now < Infinity) return;",
      },
      { file: PRESENCE, from: "|| now >= this.#tenureUntil) return false;", to: ") return false;" },
    ],
    caughtBy: ["wakes-up-silent"],
  },
  {
    name: "a node that is cut off defends itself",
    patches: [
      { file: MACHINE, from: "if (!isConfirmed || vip.doubt > 0) {", to: "if (vip.doubt > 9) {" },
    ],
    caughtBy: ["yields-when-heard"],
  },
  {
    name: "a read that was sent before the doubt ends it",
    patches: [
      { file: "ownership/doubt.ts", from: "return isReading ? 2 : 1;", to: "return 1;" },
      { file: MACHINE, from: "this.#mustReadAgain = this.#isReading;", to: "" },
    ],
    caughtBy: ["wakes-up-silent", "yields-when-heard"],
    kinds: ["freeze", "api-slow"],
    firstSeed: 900,
  },
  {
    name: "a claim keeps the epoch",
    patches: [
      {
        file: TABLE,
        from: "const epoch = vip.epochSeen + 1;\n    const { cause, previousOwner } = claim;",
        to: "const epoch = vip.epochSeen;\n    const { cause, previousOwner } = claim;",
      },
    ],
    caughtBy: ["epochs-grow"],
  },
  {
    name: "the grant comes before the record",
    patches: [
      {
        file: TABLE,
        from: 'this.#emit({ type: "record", change });\n    vip.phase = { kind: "owning"',
        to: 'vip.phase = { kind: "owning"',
      },
    ],
    caughtBy: ["effects-in-order"],
  },
  {
    name: "who has yielded never looks again",
    patches: [
      {
        file: TABLE,
        from: "this.evaluate(vip, situation, now);\n        return;",
        to: "return;",
      },
    ],
    caughtBy: ["one-after-healing"],
    kinds: ["api-cut", "vip-lease-edited"],
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
];

/** Loads a copy of the shipped code with the patches applied. */
export async function loadMutant(mutant: Mutant): Promise<Code> {
  return loadPatched(new URL("../../../src/", import.meta.url), mutant.patches);
}

/** `src` ends with a slash. */
export async function loadPatched(src: URL, patches: readonly Patch[]): Promise<Code> {
  const folder = mkdtempSync(join(tmpdir(), "lbd-mutant-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    for (const name of ["ownership", "arp"]) {
      cpSync(new URL(name, src), join(folder, name), { recursive: true });
      for (const file of readdirSync(join(folder, name))) shareCore(join(folder, name, file));
    }
    for (const patch of patches) apply(join(folder, patch.file), patch);
    const load = (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href);
    const machine = (await load("ownership/machine.ts")) as Pick<Code, "Ownership">;
    const leadership = (await load("ownership/leadership.ts")) as Pick<Code, "Leadership">;
    const arp = (await load("arp/responder.ts")) as Pick<Code, "ArpResponder">;
    const { Ownership } = machine;
    return { Ownership, Leadership: leadership.Leadership, ArpResponder: arp.ArpResponder };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The vocabulary is the shipped one: it needs packages, which a temporary folder has not. */
function shareCore(path: string): void {
  const core = new URL("../../../src/core/", import.meta.url).href;
  writeFileSync(path, readFileSync(path, "utf8").replaceAll('"../core/', `"${core}`));
}

function apply(path: string, { file, from, to }: Patch): void {
  const text = readFileSync(path, "utf8");
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`Cannot patch ${file}: ${parts.length - 1} places have "${from}"`);
  }
  writeFileSync(path, parts.join(to));
}
