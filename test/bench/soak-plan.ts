// What happens in a soak, and when: the same for the same seed and length. Pure.
//
// Services come and go all the time. Beside that one fault at a time strikes a node or the API, and
// all is well for a while before the next one. One daemon is never stopped, so that it shows what
// becomes of a process in all that time; its cables are pulled like everybody's.

import { Prng } from "../sim/support/prng.ts";

export interface SoakService {
  readonly name: string;
  readonly address: string;
}

export type SoakStep = { readonly atMs: number } & (
  | { readonly kind: "service created" | "service deleted"; readonly service: SoakService }
  | { readonly kind: NodeStep; readonly node: number }
  | { readonly kind: ApiStep }
);

type NodeStep =
  | "daemon stopped"
  | "daemon started"
  | "cables pulled"
  | "cables plugged"
  | "data cable pulled"
  | "data cable plugged";
type ApiStep = "api stopped" | "api started";

export type FaultKind = keyof typeof FAULTS;

export interface SoakPlan {
  /** Made before the clock starts. */
  readonly services: readonly SoakService[];
  /** By time. */
  readonly steps: readonly SoakStep[];
  /** The daemon of this node, from 1, runs throughout. */
  readonly steady: number;
}

const NODES = 3;
const SERVICES = 50;
/** So many come or go at most, before it turns. */
const SERVICES_SWING = 5;
const ADDRESS_PREFIX = "192.168.100.";
const ADDRESS_FIRST = 100;
/** Some more than Services, so that an address rests before it is given out again. */
const ADDRESSES = 80;
export const POOL_RANGE = `${ADDRESS_PREFIX}${ADDRESS_FIRST}-${ADDRESS_PREFIX}${
  ADDRESS_FIRST + ADDRESSES - 1
}`;

const CHURN_MS = { min: 4_000, max: 12_000 };
const QUIET_MS = { min: 15_000, max: 35_000 };
/** Nothing strikes before, and all is well again so long before the end. */
const MARGIN_MS = 30_000;

/** How a fault begins and ends, how long it lasts, and how often it is drawn among the others. */
const FAULTS = {
  "daemon stopped": { ends: "daemon started", ms: { min: 3_000, max: 15_000 }, weight: 3 },
  "cables pulled": { ends: "cables plugged", ms: { min: 3_000, max: 25_000 }, weight: 2 },
  "data cable pulled": { ends: "data cable plugged", ms: { min: 3_000, max: 25_000 }, weight: 2 },
  "api stopped": { ends: "api started", ms: { min: 1_000, max: 25_000 }, weight: 2 },
} as const;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

export function planSoak(seed: number, lastsMs: number): SoakPlan {
  const prng = new Prng(seed);
  const steady = prng.int(1, NODES);
  const faults = planFaults(prng, { steady, untilMs: lastsMs - MARGIN_MS });
  const { services, steps: churn } = planChurn(prng, { lastsMs, faults });
  return { services, steady, steps: [...faults, ...churn].sort((a, b) => a.atMs - b.atMs) };
}

function planFaults(
  prng: Prng,
  { steady, untilMs }: { readonly steady: number; readonly untilMs: number },
): SoakStep[] {
  const steps: SoakStep[] = [];
  const drawn = FAULT_KINDS.flatMap(
    (kind) => Array(FAULTS[kind].weight).fill(kind) as (typeof kind)[],
  );
  let atMs = MARGIN_MS;
  for (;;) {
    const kind = prng.pick(drawn);
    const { ends, ms } = FAULTS[kind];
    const node = nodeFor(prng, kind, steady);
    const endMs = atMs + Math.round(prng.between(ms.min, ms.max));
    if (endMs > untilMs) return steps;
    steps.push(stepOf(kind, atMs, node), stepOf(ends, endMs, node));
    atMs = endMs + Math.round(prng.between(QUIET_MS.min, QUIET_MS.max));
  }
}

function stepOf(kind: NodeStep | ApiStep, atMs: number, node: number): SoakStep {
  return kind === "api stopped" || kind === "api started" ? { atMs, kind } : { atMs, kind, node };
}

function nodeFor(prng: Prng, kind: FaultKind, steady: number): number {
  const nodes = Array.from({ length: NODES }, (_, i) => i + 1);
  return prng.pick(kind === "daemon stopped" ? nodes.filter((node) => node !== steady) : nodes);
}

/** Not while the API is stopped: nobody could say it. */
function planChurn(
  prng: Prng,
  { lastsMs, faults }: { readonly lastsMs: number; readonly faults: readonly SoakStep[] },
): { services: SoakService[]; steps: SoakStep[] } {
  const free = Array.from({ length: ADDRESSES }, (_, i) => `${ADDRESS_PREFIX}${ADDRESS_FIRST + i}`);
  let made = 0;
  const make = (): SoakService => {
    made += 1;
    return { name: `soak-${made}`, address: free.shift() ?? "" };
  };
  const services = Array.from({ length: SERVICES }, make);
  const living = [...services];
  const steps: SoakStep[] = [];
  for (let atMs = CHURN_MS.min; ; atMs += Math.round(prng.between(CHURN_MS.min, CHURN_MS.max))) {
    if (atMs > lastsMs - MARGIN_MS) return { services, steps };
    if (isApiStopped(faults, atMs)) continue;
    const surplus = living.length - SERVICES;
    if (surplus < SERVICES_SWING && (surplus <= -SERVICES_SWING || prng.chance(0.5))) {
      const service = make();
      living.push(service);
      steps.push({ atMs, kind: "service created", service });
      continue;
    }
    const [service] = living.splice(prng.int(0, living.length - 1), 1);
    if (service === undefined) continue;
    free.push(service.address);
    steps.push({ atMs, kind: "service deleted", service });
  }
}

function isApiStopped(faults: readonly SoakStep[], atMs: number): boolean {
  const last = faults.findLast(
    (step) => step.atMs <= atMs && (step.kind === "api stopped" || step.kind === "api started"),
  );
  return last?.kind === "api stopped";
}
