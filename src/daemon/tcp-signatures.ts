// What the kernel counts of TCP segments whose signature (RFC 2385) is not as it should be: the one
// sign of two passwords that differ, since such segments are dropped without an answer.

import { readFileSync } from "node:fs";

type Counter = "TCPMD5NotFound" | "TCPMD5Unexpected" | "TCPMD5Failure";

const FILE = "/proc/net/netstat";
const MEANING: Readonly<Record<Counter, string>> = {
  TCPMD5Failure: "segments with another password's signature arrive: do the passwords differ?",
  TCPMD5NotFound: "segments without a signature arrive: does the peer have no password?",
  TCPMD5Unexpected: "segments with a signature arrive: has the BGPPeer no password?",
};
/** After one that came: whoever is refused tries again within that time. */
const RECENT_MS = 60_000;

export class TcpSignatures {
  readonly #read: () => string;
  #counts: ReadonlyMap<string, number> | null = null;
  readonly #grewAt = new Map<Counter, number>();

  constructor(read: () => string = () => readFileSync(FILE, "utf8")) {
    this.#read = read;
  }

  /** In words; null: none came lately, or it cannot be known. */
  problem(now: number): string | null {
    const counts = this.#countsNow();
    for (const counter of Object.keys(MEANING) as Counter[]) {
      const before = this.#counts?.get(counter) ?? counts.get(counter) ?? 0;
      if ((counts.get(counter) ?? 0) > before) this.#grewAt.set(counter, now);
    }
    this.#counts = counts;
    const recent = [...this.#grewAt].filter(([, at]) => now - at < RECENT_MS);
    return recent.length === 0 ? null : recent.map(([counter]) => MEANING[counter]).join("; ");
  }

  #countsNow(): Map<string, number> {
    try {
      const [names = "", values = ""] = this.#read()
        .split("\n")
        .filter((line) => line.startsWith("TcpExt:"));
      const numbers = values.split(" ");
      return new Map(names.split(" ").map((name, at) => [name, Number(numbers[at])]));
    } catch {
      return new Map();
    }
  }
}
