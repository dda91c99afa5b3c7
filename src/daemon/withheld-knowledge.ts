// What a plan knows of addresses that are not handed out now. The leader knows all of it; another
// node what was freed, from its own store, and not what the leader has heard on the network.

import type { PlannedServiceView } from "../api/plan-view.ts";
import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { FreedSettings } from "../ipam/freed-addresses.ts";
import type { WithheldAddresses } from "../ipam/withheld.ts";

export interface WithheldKnowledge extends WithheldAddresses {
  /** What becomes of addresses that Services give up. */
  readonly freed: FreedSettings;
  /** Why it is not known here what hosts of the network use, in words, or null. */
  readonly whyDeaf: string | null;
  /** It was asked for a short time ago, and nobody answered. */
  readonly isKnownFree: (address: Ip) => boolean;
}

/** Named in a notice, of so many. */
const NAMED_MAX = 3;

/** What could not be known of the addresses that Services would get, in words. */
export function withheldNotices(
  services: readonly PlannedServiceView[],
  { whyDeaf, isKnownFree }: Pick<WithheldKnowledge, "whyDeaf" | "isKnownFree">,
): string[] {
  const asked = services.flatMap(({ before, after }) => {
    const fresh = after.filter((address) => !before.includes(address));
    return fresh.flatMap((address) => parseIp(address) ?? []);
  });
  if (asked.length === 0) return [];
  const then = "one that another host has is passed over";
  if (whyDeaf !== null) {
    return [
      `Not known here is which addresses other hosts on the network use (${whyDeaf}): ${then}`,
    ];
  }
  const unknown = [...new Set(asked)].filter((address) => !isKnownFree(address));
  if (unknown.length === 0) return [];
  const more = unknown.length > NAMED_MAX ? ` and ${unknown.length - NAMED_MAX} more` : "";
  const named = `${unknown.slice(0, NAMED_MAX).join(", ")}${more}`;
  return [`Not asked for on the network yet: ${named}; ${then}`];
}
