// The rows of the failovers, from the trials of each fault, and which faults are chosen. Pure.

import type { Fault, Trial } from "./failover-trial.ts";
import { type BenchRow, compared, figuresOf, information } from "./rows.ts";
import { SettingError } from "./settings.ts";

/** What strikes the owner of lbd's address, in the order of their rows. */
export const LBD_ROWS = [
  "cable pulled",
  "data cable pulled",
  "kill",
  "frozen",
  "partition and heal",
  "api down and cable pulled",
  "api down, partition and heal",
  "etcd down",
  "stop",
  "drain",
  "restart",
] as const;
export type LbdRow = (typeof LBD_ROWS)[number];

export const KEEPALIVED_DEFAULT = "cable pulled, keepalived default";
export const KEEPALIVED_FAST = "cable pulled, keepalived 0.1 s";

/**
 * `cold`: it asks by ARP; `warm`: it sends datagrams through the address, which the owner's host
 * forwards as long as it lives.
 */
export type ClientKind = "cold" | "warm";

/** keepalived has no server behind its address: a warm client cannot judge it. */
export const ROW_NAMES: Readonly<Record<ClientKind, readonly string[]>> = {
  cold: [...LBD_ROWS, KEEPALIVED_DEFAULT, KEEPALIVED_FAST],
  warm: LBD_ROWS,
};

const TARGET_MS = 400;
/** Two that hear each other do not both answer for longer (docs/ownership.md). */
const TWO_MS_MAX = 700;
const WITH_TARGET = ["cable pulled", "frozen"];
/** On purpose: nobody notices anything; who has a warm cache does not notice a dead daemon, too. */
const WITHOUT_LOSS: Readonly<Record<ClientKind, readonly string[]>> = {
  cold: ["stop", "drain", "restart"],
  warm: ["stop", "drain", "restart", "kill"],
};
const P99 =
  "p99       of all runs, by nearest rank; the worst of them while these are fewer than 100";
const LEGENDS: Readonly<Record<ClientKind, string>> = {
  cold: `
Milliseconds from the last answer before to the first one after, for a client that asks every
millisecond by ARP, as one with a cold cache; 0: every request was answered.
"two answer after it": from the end of the cut to the last request that two hosts answered.
${P99}
baseline  "${KEEPALIVED_DEFAULT}", p50, of the same run, when that row was measured too`,
  warm: `
Milliseconds from the last answer before to the first one after, for a client that sends a datagram
through the address every millisecond; 0: every one came back.
${P99}`,
};

export function legendFor(client: ClientKind): string {
  return LEGENDS[client];
}

/**
 * Those that `rows` names, in their own order; all when it is empty. Names are separated by commas;
 * a comma in a name is left out. Throws a SettingError for a name that is none of them.
 */
export function chosenBy(rows: string, all: readonly string[]): readonly string[] {
  const wanted = rows.split(",").map((name) => name.trim());
  if (rows.trim() === "") return all;
  const names = all.map((name) => name.replaceAll(",", ""));
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length === 0) return all.filter((_, i) => wanted.includes(names[i] ?? ""));
  throw new SettingError(`There is no row "${unknown.join(", ")}"; there are: ${names.join(", ")}`);
}

/**
 * In the order in which they strike: while the daemons of one contender are still not well, the
 * other one has its turn.
 */
export function inTurns<T extends Pick<Fault, "contender" | "isSlowToHeal">>(
  faults: readonly T[],
): readonly T[] {
  const others = faults.filter(({ contender }) => contender === "keepalived");
  const own = faults.filter(({ contender }) => contender === "lbd");
  const slow = own.filter(({ isSlowToHeal }) => isSlowToHeal);
  return [
    ...slow.flatMap((fault, i) => [fault, ...others.slice(i, i + 1)]),
    ...others.slice(slow.length),
    ...own.filter(({ isSlowToHeal }) => !isSlowToHeal),
  ];
}

/** What the rows are made from. */
export type Measured = Pick<Trial, "blackout" | "twoMs" | "owner" | "next">;

/**
 * One row a fault, and one more for those with a cut that ends: a datagram has one way, so that a
 * warm client does not see two that answer.
 */
export function rowsOf(
  trials: ReadonlyMap<string, readonly Measured[]>,
  client: ClientKind = "cold",
): BenchRow[] {
  const row = (name: string, values: readonly number[]): BenchRow =>
    information(name, "ms", { figures: figuresOf(values), runs: values.length });
  const blackouts = (name: string): BenchRow =>
    row(
      name,
      (trials.get(name) ?? []).map(({ blackout }) => blackout.ms),
    );
  const baseline = trials.has(KEEPALIVED_DEFAULT) ? blackouts(KEEPALIVED_DEFAULT).p50 : null;
  return [...trials].flatMap(([name, of]) => {
    const first = withTarget(blackouts(name), { trials: of, baseline, client });
    if (client === "warm") return [{ ...first, name: `${name}, warm cache` }];
    const two = of.map(({ twoMs }) => twoMs).filter((ms) => ms !== null);
    if (two.length === 0) return [first];
    return [first, bounded(row(`${name}, two answer after it`, two))];
  });
}

interface Context {
  readonly trials: readonly Measured[];
  readonly baseline: number | null;
  readonly client: ClientKind;
}

function withTarget(row: BenchRow, { trials, baseline, client }: Context): BenchRow {
  const hasMoved = trials.some(({ owner, next }) => owner !== next);
  if (row.name === "etcd down") return { ...row, target: "no move", ok: !hasMoved };
  if (row.name === "restart" && hasMoved) return { ...row, target: "no move", ok: false };
  if (WITHOUT_LOSS[client].includes(row.name))
    return { ...row, target: "0 ms", ok: row.worst === 0 };
  if (!WITH_TARGET.includes(row.name)) return row;
  const ok = row.p99 <= TARGET_MS;
  const target = `p99 <= ${TARGET_MS} ms`;
  if (baseline === null) return { ...row, target, ok };
  return compared(row, { baseline, target, isMet: () => ok });
}

/** A promise holds every time. */
function bounded(row: BenchRow): BenchRow {
  return { ...row, target: `worst <= ${TWO_MS_MAX} ms`, ok: row.worst <= TWO_MS_MAX };
}
