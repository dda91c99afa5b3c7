// BFDProfile: how fast, and how, BGP sessions are watched by BFD (RFC 5880).

import { z } from "zod";
import type { ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec } from "./resource.ts";

export interface BfdProfile {
  readonly name: string;
  /** Milliseconds; null: the routing daemon's default, 300. */
  readonly receiveIntervalMs: number | null;
  /** Milliseconds; null: the routing daemon's default, 300. */
  readonly transmitIntervalMs: number | null;
  /** Milliseconds; null: the routing daemon's default, 50. */
  readonly echoIntervalMs: number | null;
  /** Packets that may be lost; null: the routing daemon's default, 3. */
  readonly detectMultiplier: number | null;
  readonly echoMode: boolean;
  /** Wait for the peer to begin. */
  readonly passiveMode: boolean;
  /** The least TTL of packets that came over several hops; null: the routing daemon's default. */
  readonly minimumTtl: number | null;
}

const intervalMs = z.int().min(10).max(60_000).optional();

export const bfdProfileSpecSchema = z.strictObject({
  receiveInterval: intervalMs,
  transmitInterval: intervalMs,
  echoInterval: intervalMs,
  detectMultiplier: z.int().min(2).max(255).optional(),
  echoMode: z.boolean().optional(),
  passiveMode: z.boolean().optional(),
  minimumTtl: z.int().min(1).max(254).optional(),
});

const RULES = { kind: "BFDProfile", schema: bfdProfileSpecSchema } as const;

/** A profile that is valid by itself, or null. */
export function parseBfdProfile(
  raw: RawResource,
  problems: ConfigProblem[],
): Sourced<BfdProfile> | null {
  const parsed = parseSpec(raw, RULES, problems);
  if (parsed === null) return null;
  return { value: bfdProfile(raw.name, parsed.value), origin: parsed.origin };
}

/** With what was left out filled in. */
export function bfdProfile(name: string, spec: z.output<typeof bfdProfileSpecSchema>): BfdProfile {
  return {
    name,
    receiveIntervalMs: spec.receiveInterval ?? null,
    transmitIntervalMs: spec.transmitInterval ?? null,
    echoIntervalMs: spec.echoInterval ?? null,
    detectMultiplier: spec.detectMultiplier ?? null,
    echoMode: spec.echoMode ?? false,
    passiveMode: spec.passiveMode ?? false,
    minimumTtl: spec.minimumTtl ?? null,
  };
}
