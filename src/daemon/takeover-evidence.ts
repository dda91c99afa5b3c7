// Why this node took a VIP over, and how long nobody can have answered for it, in words.

import type { BootMs } from "../core/time.ts";
import type { OwnerChange } from "../ownership/types.ts";
import type { OwnershipViews } from "../ownership/views.ts";

type Gained = Extract<OwnerChange, { type: "gained" }>;

/** "" where there is nothing to say beside the cause. */
export function takeoverEvidence(
  { cause, address, previousOwner }: Gained,
  views: Pick<OwnershipViews, "silence">,
  now: BootMs,
): string {
  switch (cause) {
    case "owner-silent": {
      const silence = previousOwner === null ? null : views.silence(previousOwner, address);
      if (silence === null) return "";
      const { from, interface: name, heard } = silence;
      const beside = heard.length === 0 ? "nobody" : heard.join(", ");
      const gap = `unanswered for ${Math.round(now - from)} ms at most`;
      return `no beacon, no answer on ${name}; heard there: ${beside}; ${gap}`;
    }
    case "owner-down":
      return "its node Lease was not renewed";
    case "owner-stopped":
      return "it gave its node Lease up";
    case "owner-mute":
      return "two nodes asked on the wire, and it did not answer";
    default:
      return "";
  }
}
