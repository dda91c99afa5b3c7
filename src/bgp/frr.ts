// Keeps FRR's configuration equal to what is wanted, as far as it is lbd's: reads what runs,
// applies the difference, reads again. What the administrator has beside it is never changed.

import { difference } from "./difference.ts";
import type { BgpIntent } from "./intent.ts";
import { NO_BGP } from "./intent.ts";
import { type ConfigLine, keyOf, parseConfig, setOf, without } from "./lines.ts";
import { neighborName, renderFrr } from "./render.ts";
import {
  type BgpConflict,
  conflictsOf,
  formOf,
  outdated,
  type Running,
  readRunning,
  withoutPeers,
} from "./running.ts";
import { jsonDocuments, readSessions, type SessionState } from "./sessions.ts";
import { type Vty, type VtyAnswer, type VtyFailure, withoutPassword } from "./vtysh.ts";

export interface FrrFailure {
  readonly kind: VtyFailure;
  readonly message: string;
}

export interface Applied {
  /** What FRR was told; 0: it had all already. */
  readonly commands: number;
  readonly conflicts: readonly BgpConflict[];
  /** Lines that were not as lbd had left them, though it was the last to change what it wants. */
  readonly restored: readonly string[];
  /** All that lbd had set was gone: FRR was started anew. */
  readonly wasEmpty: boolean;
  /** Names of the BGPPeers that are configured. */
  readonly peers: readonly string[];
}

export type Apply =
  | { readonly ok: true; readonly value: Applied }
  | { readonly ok: false; readonly failure: FrrFailure };

const SHOW_RUNNING = "show running-config";
const SHOW_STATE = [
  "show bgp vrf all neighbors json",
  "show bfd peers json",
  "show bfd peers counters json",
] as const;
const NOTHING_BFD = "[]";
const DEFAULT_MODE = "frr defaults ";

export class Frr {
  readonly #vty: Vty;
  /** As FRR printed lbd's part after it was written last; null: not by this process. */
  #left: ReadonlyMap<string, ConfigLine> | null = null;
  /** What was wanted then. FRR may print some lines otherwise: those are as good. */
  #wanted: ReadonlyMap<string, ConfigLine> = new Map();
  #sessions = new Map<string, Set<string>>();

  constructor(vty: Vty) {
    this.#vty = vty;
  }

  async apply(intent: BgpIntent): Promise<Apply> {
    const read = await this.#read();
    if (!read.ok) return read;
    const running = read.value;
    const conflicts = conflictsOf(intent, running);
    const stopped = new Set(conflicts.flatMap(({ peers }) => peers));
    const possible = withoutPeers(intent, stopped);
    const wanted = renderFrr(possible, (vrf) => formOf(running, vrf));
    const { restored, wasEmpty } = this.#sinceLast(running.ours, wanted);
    const old = outdated(possible, running).map(({ header }) => header);
    const left = this.#asWanted(running.ours).filter(
      ({ in: [block], line }) => !old.includes(block ?? line),
    );
    const commands = [...old.map((header) => `no ${header}`), ...difference(left, wanted)];
    const peers = possible.peers.map(({ peer }) => peer.name);
    const about = { conflicts, restored, wasEmpty, peers };
    if (commands.length > 0) {
      const written = await this.#vty.configure(commands);
      if (!written.ok) return failureOf(written);
      this.#remember(possible);
      const after = await this.#read();
      if (!after.ok) return after;
      this.#left = setOf(after.value.ours);
    } else {
      this.#left = setOf(running.ours);
    }
    this.#remember(possible);
    this.#wanted = setOf(wanted);
    return { ok: true, value: { commands: commands.length, ...about } };
  }

  /** Takes away all that is lbd's. */
  withdraw(): Promise<Apply> {
    return this.apply(NO_BGP);
  }

  async sessions(): Promise<
    | { readonly ok: true; readonly value: readonly SessionState[] }
    | { readonly ok: false; readonly failure: FrrFailure }
  > {
    const answer = await this.#vty.ask(SHOW_STATE);
    if (!answer.ok) return failureOf(answer);
    const [neighbors = "{}", bfd = NOTHING_BFD, counters = NOTHING_BFD] = jsonDocuments(
      answer.text,
    );
    return { ok: true, value: readSessions(neighbors, bfd, counters) };
  }

  async #read(): Promise<
    | { readonly ok: true; readonly value: Running }
    | { readonly ok: false; readonly failure: FrrFailure }
  > {
    const answer = await this.#vty.ask([SHOW_RUNNING]);
    if (!answer.ok) return failureOf(answer);
    if (!answer.text.includes(DEFAULT_MODE)) {
      const message = "FRR did not print its running configuration; it is tried again";
      return { ok: false, failure: { kind: "hung", message } };
    }
    const known = (vrf: string): ReadonlySet<string> => this.#sessions.get(vrf) ?? new Set();
    return { ok: true, value: readRunning(parseConfig(answer.text), known) };
  }

  /** What was changed under lbd's marks since it wrote last. */
  #sinceLast(
    ours: readonly ConfigLine[],
    wanted: readonly ConfigLine[],
  ): Pick<Applied, "restored" | "wasEmpty"> {
    const left = this.#left;
    if (left === null || left.size === 0) return { restored: [], wasEmpty: false };
    if (ours.length === 0) return { restored: [], wasEmpty: wanted.length > 0 };
    const changed = [...without(ours, left), ...without([...left.values()], setOf(ours))];
    return { restored: changed.map(keyOf).map(shown), wasEmpty: false };
  }

  /** Lines that FRR prints in another form than they were written count as what was wanted. */
  #asWanted(ours: readonly ConfigLine[]): readonly ConfigLine[] {
    const left = this.#left;
    if (left === null) return ours;
    const now = setOf(ours);
    const rephrased = without([...left.values()], this.#wanted).map(keyOf);
    const unseen = without([...this.#wanted.values()], left);
    const isAsLeft = rephrased.every((key) => now.has(key));
    if (!isAsLeft) return ours;
    const others = new Set(rephrased);
    return [...ours.filter((one) => !others.has(keyOf(one))), ...unseen];
  }

  #remember({ peers }: BgpIntent): void {
    this.#sessions = new Map();
    for (const { peer } of peers) {
      const names = this.#sessions.get(peer.vrf) ?? new Set();
      this.#sessions.set(peer.vrf, names.add(neighborName(peer)));
    }
  }
}

/** Without what nobody should read. */
function shown(key: string): string {
  return withoutPassword(key.split("\n").join(" / "));
}

function failureOf(answer: Extract<VtyAnswer, { ok: false }>): {
  readonly ok: false;
  readonly failure: FrrFailure;
} {
  const { kind, message } = answer;
  return { ok: false, failure: { kind, message } };
}
