// How long nobody answered, from what the prober recorded. Pure.

/** Times on the boot clock, in ms; in order. */
export interface Recording {
  /** When requests were sent. */
  readonly sent: readonly number[];
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly at: number;
  readonly mac: string;
}

export interface Blackout {
  /**
   * The longest time between two answers, of which the later one came after the fault; 0 when no
   * request was left without an answer.
   */
  readonly ms: number;
  /** The two answers. */
  readonly from: number;
  readonly to: number;
  /** Who answered last. */
  readonly next: string;
  /** Requests without an answer, at least. */
  readonly lost: number;
  /** Answers of the old owner after the first one of the next. */
  readonly late: number;
  /** The longest time between two requests: what the prober itself may have added. */
  readonly pauseMs: number;
}

/** Null when nobody answered after the fault. */
export function blackoutOf(
  recording: Recording,
  fault: { readonly at: number; readonly owner: string },
): Blackout | null {
  const { answers } = recording;
  const last = answers.at(-1);
  if (last === undefined || last.at < fault.at) return null;
  const sent = recording.sent.filter((at) => at >= fault.at);
  const first = answers.findIndex(({ at }) => at >= fault.at);
  const times = answers.slice(Math.max(0, first - 1)).map(({ at }) => at);
  const [from, to] = longestStep(times);
  const [pauseFrom, pauseTo] = longestStep(sent);
  const lost = Math.max(0, recording.sent.length - answers.length);
  const moved = answers.findIndex(({ mac }) => mac !== fault.owner);
  const late = moved < 0 ? [] : answers.slice(moved).filter(({ mac }) => mac === fault.owner);
  return {
    ms: lost === 0 ? 0 : to - from,
    from,
    to,
    next: last.mac,
    lost,
    late: late.length,
    pauseMs: pauseTo - pauseFrom,
  };
}

function longestStep(times: readonly number[]): [from: number, to: number] {
  let longest: [number, number] = [times[0] ?? 0, times[0] ?? 0];
  for (const [i, to] of times.entries()) {
    const from = times[i - 1] ?? to;
    if (to - from > longest[1] - longest[0]) longest = [from, to];
  }
  return longest;
}
