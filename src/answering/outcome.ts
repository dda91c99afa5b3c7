// What a received frame of ARP or Neighbor Discovery means for this node: exactly one of these.

/** Every outcome of a frame that is well-formed; each is a counter. */
export const FRAME_OUTCOMES = [
  "answered",
  /** Answered in place of an owner that restarts, with its MAC. */
  "stood-in",
  "not-ours",
  "not-request",
  "tenure-lapsed",
  /** A request, and nothing at all is answered for now. */
  "muted",
  "wrong-interface",
  "wrong-destination",
  "own-frame",
  "heard-announcement",
  "heard-reply",
] as const;

export type FrameOutcome = (typeof FRAME_OUTCOMES)[number];

/** Whether another host was heard that claims an address which is granted here. */
export function isHeard(outcome: string): boolean {
  return outcome === "heard-announcement" || outcome === "heard-reply";
}

/** Another host sent it, for whatever purpose: it uses the address that it names as its own. */
export function isOfOthers(outcome: string): boolean {
  return outcome !== "own-frame" && !isHeard(outcome) && !outcome.startsWith("malformed");
}
