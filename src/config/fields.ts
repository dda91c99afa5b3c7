// Kinds of fields that several resources have.

import { z } from "zod";
import type { Ip } from "../core/address.ts";
import { ipFamily, parseIp } from "../core/address.ts";
import { parseAddressEntry } from "./address-entry.ts";
import { parseDuration } from "./duration.ts";
import { labelSelectorSchema } from "./label-selector.ts";

/** The largest AS number (RFC 6793), local preference and part of a large community. */
export const UINT32_MAX = 4_294_967_295;

export const asNumber = z.int().min(1).max(UINT32_MAX);
export const uint32 = z.int().min(0).max(UINT32_MAX);

/** An entry of a pool's addresses, as a range. */
export const addressEntry = z.string().transform((text, context) => {
  const entry = parseAddressEntry(text);
  if (entry.ok) return entry.range;
  context.addIssue({ code: "custom", message: entry.expected });
  return z.NEVER;
});

/** In canonical text. */
export const ipAddress = parsedText(parseIp, "an IP address");
export const ipv4Address = parsedText(parseIpv4, "an IPv4 address");
/** In milliseconds. */
export const duration = parsedText(parseDuration, 'a duration such as "90s" or "1m30s"');

/** A text that a function makes sense of; an empty one counts as none, as Go's clients write it. */
export function parsedText<T>(parse: (text: string) => T | null, expected: string) {
  return z.string().transform((text, context): T | undefined => {
    if (text === "") return undefined;
    const value = parse(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
}

export function uniqueStrings() {
  return z
    .array(z.string().min(1))
    .refine((names) => new Set(names).size === names.length, { error: "no name twice" });
}

/** A list of label selectors, which are OR-ed wherever there is one. */
export function selectors() {
  return z
    .array(labelSelectorSchema)
    .refine((list) => new Set(list.map((one) => JSON.stringify(one))).size === list.length, {
      error: "no selector twice",
    });
}

function parseIpv4(text: string): Ip | null {
  const ip = parseIp(text);
  return ip !== null && ipFamily(ip) === 4 ? ip : null;
}
