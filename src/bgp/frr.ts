// Keeps FRR's configuration equal to what is wanted, as far as it is lbd's: reads what runs,
// applies the difference, reads again. What the administrator has beside it is never changed.

import { difference, isSameSetting } from "./difference.ts";
import type { BgpIntent } from "./intent.ts";
import { NO_BGP } from "./intent.ts";
import { type ConfigLine, keyOf, parseConfig, setOf, without } from "./lines.ts";
import { instanceHeader, neighborName, OWN_SETTINGS, renderFrr } from "./render.ts";
import {
  type BgpConflict,
  conflictsOf,
  formOf,
  missingOutside,
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
  /** FRR was started anew: what lbd had set was gone. */
  readonly wasEmpty: boolean;
  /** What FRR did not take, the first of it; null: it took all. */
  readonly refused: string | null;
  /** Names of the BGPPeers that are configured. */
  readonly peers: readonly string[];
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: FrrFailure };
export type Apply = Result<Applied>;

/** The first is answered by bgpd alone: without it its part of the configuration is not printed. */
const SHOW_RUNNING = ["show bgp vrfs json", "show running-config"] as const;
const SHOW_SESSIONS = ["show bgp vrf all neighbors json"] as const;
const SHOW_BFD = ["show bfd peers json", "show bfd peers counters json"] as const;
const NO_BFD = "[]";
const BEGIN = "Building configuration...";
/** A line that is not there after that is not taken. */
const WRITES_MAX = 2;

export class Frr {
  readonly #vty: Vty;
  /** As FRR printed lbd's part after it was written last; null: not by this process. */
  #left: ReadonlyMap<string, ConfigLine> | null = null;
  /** Lines as lbd writes them, and as FRR prints them. */
  readonly #rephrased = new Map<string, string>();
  /** Lines that FRR does not print, as it does so anyway. */
  readonly #silent = new Set<string>();
  /** Instances that this process may have made. */
  readonly #made = new Set<string>();
  /** Lines outside of lbd's part that were set. */
  readonly #said = new Set<string>();
  readonly #sessions = new Map<string, Set<string>>();

  constructor(vty: Vty) {
    this.#vty = vty;
  }

  async apply(intent: BgpIntent): Promise<Apply> {
    const read = await this.#read();
    if (!read.ok) return read;
    const conflicts = conflictsOf(intent, read.value);
    const stopped = new Set(conflicts.flatMap(({ peers }) => peers));
    const possible = withoutPeers(intent, stopped);
    const since = this.#sinceLast(read.value.ours, this.#wanted(possible, read.value));
    const written = await this.#write(possible, read.value);
    if (!written.ok) return written;
    this.#sessions.clear();
    this.#remember(possible);
    const peers = possible.peers.map(({ peer }) => peer.name);
    return { ok: true, value: { conflicts, ...since, ...written.value, peers } };
  }

  /** Takes away all that is lbd's. */
  withdraw(): Promise<Apply> {
    return this.apply(NO_BGP);
  }

  /** `hasBfd`: whether some peer is watched by BFD. Without bfdd nothing is known of that. */
  async sessions(hasBfd: boolean): Promise<Result<readonly SessionState[]>> {
    const answer = await this.#vty.ask(SHOW_SESSIONS);
    if (!answer.ok) return failureOf(answer);
    const watched = hasBfd ? await this.#vty.ask(SHOW_BFD) : null;
    const [neighbors = "{}"] = jsonDocuments(answer.text);
    const [bfd = NO_BFD, counters = NO_BFD] =
      watched?.ok === true ? jsonDocuments(watched.text) : [];
    return { ok: true, value: readSessions(neighbors, bfd, counters) };
  }

  async #read(): Promise<Result<Running>> {
    const answer = await this.#vty.ask(SHOW_RUNNING);
    if (!answer.ok) return failureOf(answer);
    const at = answer.text.indexOf(BEGIN);
    if (at < 0) {
      const message = "FRR did not print its running configuration; it is tried again";
      return { ok: false, failure: { kind: "hung", message } };
    }
    const known = (vrf: string): ReadonlySet<string> => this.#sessions.get(vrf) ?? new Set();
    const lines = parseConfig(answer.text.slice(at));
    return { ok: true, value: readRunning(lines, known, this.#made) };
  }

  #wanted(intent: BgpIntent, running: Running): readonly ConfigLine[] {
    const lines = renderFrr(intent, (vrf) => formOf(running, vrf));
    return lines
      .filter((line) => !this.#silent.has(keyOf(line)))
      .map((line) => this.#asPrinted(line));
  }

  #asPrinted(line: ConfigLine): ConfigLine {
    const text = this.#rephrased.get(keyOf(line));
    return text === undefined ? line : { in: line.in, line: text };
  }

  /** Until FRR has what is wanted, or does not take it. */
  async #write(
    intent: BgpIntent,
    before: Running,
  ): Promise<Result<Pick<Applied, "commands" | "refused">>> {
    let running = before;
    let told = 0;
    let refused: string | null = null;
    for (let attempt = 1; ; attempt++) {
      // Once: another version may do so by itself, and not print it.
      const outside = attempt === 1 ? this.#outside(intent, running) : [];
      const lines = commandsFor(intent, running, this.#wanted(intent, running));
      const commands = [...outside, ...lines];
      this.#left = setOf(running.ours);
      if (commands.length === 0) return { ok: true, value: { commands: told, refused: null } };
      if (attempt > WRITES_MAX) {
        // What is refused is no other way to say it.
        if (refused === null) this.#learn(intent, running);
        const rest = commandsFor(intent, running, this.#wanted(intent, running));
        const why = refused ?? `FRR does not take "${withoutPassword(rest[0] ?? "")}"`;
        const isTaken = rest.length === 0;
        return { ok: true, value: { commands: told, refused: isTaken ? null : why } };
      }
      // What it makes is its own, also when FRR is killed in the middle of it.
      this.#remember(intent);
      const written = await this.#vty.configure(commands);
      if (!written.ok && written.kind !== "refused") return failureOf(written);
      if (!written.ok) refused = written.message;
      told += commands.length;
      for (const line of outside) this.#said.add(line);
      const read = await this.#read();
      if (!read.ok) return read;
      running = read.value;
    }
  }

  #outside(intent: BgpIntent, running: Running): string[] {
    // One that was printed once is missing when it is not.
    for (const line of running.outside) this.#said.delete(line);
    return missingOutside(intent, running).filter((line) => !this.#said.has(line));
  }

  /**
   * Another version of FRR may print a line in other words, or not print what it does anyway. Only
   * a line for the same setting stands for the one that was written.
   */
  #learn(intent: BgpIntent, running: Running): void {
    const wanted = renderFrr(intent, (vrf) => formOf(running, vrf));
    const printed = setOf(running.ours);
    const extra = without(running.ours, setOf(wanted));
    for (const line of without(wanted, printed)) {
      const same = extra.find((one) => isSameSetting(one, line));
      const isSilent =
        OWN_SETTINGS.some((setting) => setting === line.line) && printed.has(line.in[0] ?? "");
      if (same !== undefined) this.#rephrased.set(keyOf(line), same.line);
      else if (isSilent) this.#silent.add(keyOf(line));
    }
  }

  /** What was changed under lbd's marks since it wrote last. */
  #sinceLast(
    ours: readonly ConfigLine[],
    wanted: readonly ConfigLine[],
  ): Pick<Applied, "restored" | "wasEmpty"> {
    const left = this.#left;
    if (left === null || left.size === 0) return { restored: [], wasEmpty: false };
    const isInstance = ({ in: blocks, line }: ConfigLine): boolean =>
      blocks.length === 0 && line.startsWith("router bgp ");
    const had = [...left.values()].some(isInstance);
    if (had && wanted.some(isInstance) && !ours.some(isInstance)) {
      // It may be another version now.
      this.#rephrased.clear();
      this.#silent.clear();
      return { restored: [], wasEmpty: true };
    }
    const [now, then] = [setOf(ours), setOf(wanted)];
    const gone = without([...left.values()], now).filter((line) => then.has(keyOf(line)));
    const come = without(ours, left).filter((line) => !then.has(keyOf(line)));
    return { restored: [...gone, ...come].map(keyOf).map(shown), wasEmpty: false };
  }

  #remember({ peers }: BgpIntent): void {
    for (const { peer } of peers) {
      this.#made.add(instanceHeader(peer.myAsn, peer.vrf));
      const names = this.#sessions.get(peer.vrf) ?? new Set();
      this.#sessions.set(peer.vrf, names.add(neighborName(peer)));
    }
  }
}

function commandsFor(
  intent: BgpIntent,
  running: Running,
  wanted: readonly ConfigLine[],
): readonly string[] {
  const old = outdated(intent, running).map(({ header }) => header);
  const left = running.ours.filter(({ in: [block], line }) => !old.includes(block ?? line));
  return [...old.map((header) => `no ${header}`), ...difference(left, wanted)];
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
