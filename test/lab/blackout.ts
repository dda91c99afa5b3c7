// How long nobody answered, and how long two hosts did, from what the prober recorded. Pure.

/** Times on the boot clock, in ms; in order. */
export interface Recording {
  /** When requests were sent. */
  readonly sent: readonly number[];
  readonly answers: readonly Answer[];
}

export interface Answer {
  readonly at: number;
  readonly mac: string;
  /** When the request that it answers was sent, where the answer says so. */
  readonly sentAt?: number;
}

export interface Blackout {
  /**
   * The longest time between two answers in which a request was sent that has none; 0 when there
   * is no such request.
   */
  readonly ms: number;
  /** The two answers; 0 and 0: see `ms`. */
  readonly from: number;
  readonly to: number;
  /** Who answered last. */
  readonly next: string;
  /** Requests without an answer. */
  readonly lost: number;
  /** Requests that more than one host answered. */
  readonly both: number;
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
  const answerers = answerersOf(recording);
  const lost = recording.sent.filter((_, i) => answerers[i]?.size === 0);
  const [from, to] = longest(lost.map((sentAt) => stepAround(answers, sentAt)));
  const sent = recording.sent.filter((at) => at >= fault.at);
  const [pauseFrom, pauseTo] = longest(sent.map((at, i) => [sent[i - 1] ?? at, at]));
  const moved = answers.findIndex(({ mac }) => mac !== fault.owner);
  const late = moved < 0 ? [] : answers.slice(moved).filter(({ mac }) => mac === fault.owner);
  return {
    ms: to - from,
    from,
    to,
    next: last.mac,
    lost: lost.length,
    both: answerers.filter(({ size }) => size > 1).length,
    late: late.length,
    pauseMs: pauseTo - pauseFrom,
  };
}

/** From `since` to the last request after it that two hosts answered; 0: there was none. */
export function twoAnsweredMs(recording: Recording, since: number): number {
  const answerers = answerersOf(recording);
  const last = recording.sent.findLast((at, i) => at >= since && (answerers[i]?.size ?? 0) > 1);
  return last === undefined ? 0 : last - since;
}

/**
 * Who answered each request. Answers by ARP do not say to which they belong: a host answers each
 * at most once, so an answer is to the last request before it that has none of this host. Merely
 * counting would let two answers to one request hide that another one has none. Where answers take
 * longer than the time between two requests, one too many may count as unanswered at a change of
 * hosts, never one too few.
 */
function answerersOf({ sent, answers }: Recording): Set<string>[] {
  const answerers = sent.map(() => new Set<string>());
  const indexes = new Map(sent.map((at, i) => [at, i]));
  let asked = 0;
  for (const { at, mac, sentAt } of answers) {
    if (sentAt !== undefined) {
      answerers[indexes.get(sentAt) ?? -1]?.add(mac);
      continue;
    }
    while ((sent[asked] ?? Number.POSITIVE_INFINITY) <= at) asked += 1;
    let open = asked - 1;
    while (answerers[open]?.has(mac)) open -= 1;
    answerers[open]?.add(mac);
  }
  return answerers;
}

type Step = readonly [from: number, to: number];

/** The answers before and after, or the one there is. */
function stepAround(answers: readonly Answer[], sentAt: number): Step {
  const next = answers.findIndex(({ at }) => at > sentAt);
  const [before, after] =
    next < 0 ? [answers.at(-1), undefined] : [answers[next - 1], answers[next]];
  const from = before?.at ?? sentAt;
  return [from, after?.at ?? from];
}

function longest(steps: readonly Step[]): Step {
  return steps.reduce(
    (best, step) => (step[1] - step[0] > best[1] - best[0] ? step : best),
    [0, 0],
  );
}
