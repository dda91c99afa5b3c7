// Pools of addresses as text, from the daemon or the Kubernetes API, as ranges.

import { parseAddressEntry } from "../config/address-entry.ts";
import type { IpRange } from "../core/address.ts";

/** None for what is not valid: that is told of elsewhere. */
export function rangesOf(entry: string): IpRange[] {
  const read = parseAddressEntry(entry);
  return read.ok ? [read.range] : [];
}
