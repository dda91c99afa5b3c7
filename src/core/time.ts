// Time as types: a duration, a point on the boot clock, a point on the wall clock. The boot clock
// (CLOCK_BOOTTIME) decides; the wall clock is only shown and written into Lease fields.

declare const durationBrand: unique symbol;
declare const bootBrand: unique symbol;
declare const wallBrand: unique symbol;

/** A length of time in milliseconds; may be fractional. */
export type DurationMs = number & { readonly [durationBrand]: true };
/** Milliseconds of CLOCK_BOOTTIME: monotonic, counts suspend, starts at boot. */
export type BootMs = number & { readonly [bootBrand]: true };
/** Milliseconds since the Unix epoch (CLOCK_REALTIME); may step. */
export type WallMs = number & { readonly [wallBrand]: true };

/** The later end of time: a deadline that never comes. */
export const NEVER = Number.POSITIVE_INFINITY as BootMs;

export function durationMs(value: number): DurationMs {
  return value as DurationMs;
}

export function bootMs(value: number): BootMs {
  return value as BootMs;
}

export function wallMs(value: number): WallMs {
  return value as WallMs;
}

/** `at` moved by `by` (which may be negative). */
export function after(at: BootMs, by: number): BootMs {
  return (at + by) as BootMs;
}

export function earliest(...points: readonly BootMs[]): BootMs {
  return Math.min(NEVER, ...points) as BootMs;
}

/** Where the edges read time. Pure modules never see one: `now` is their argument. */
export interface Clock {
  boot(): BootMs;
  wall(): WallMs;
}

/** RFC 3339 in UTC with microseconds, the format of `MicroTime` in Lease and Event objects. */
export function toMicroTime(at: WallMs): string {
  return new Date(at).toISOString().replace(/Z$/, "000Z");
}
