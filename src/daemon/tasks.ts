// Background activities of the daemon: each runs until aborted, and says when it is ready. The
// first that ends with an error ends all of them.

export interface Task {
  readonly name: string;
  /** Resolves when the task does its work; missing: at once. */
  readonly ready?: Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

/** Runs all tasks until `signal` aborts or one fails; then all are stopped and it rejects. */
export async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  const failures: unknown[] = [];
  const runs = tasks.map(async (task) => {
    try {
      await task.run(both);
    } catch (thrown) {
      failures.push(thrown);
      failure.abort();
    }
  });
  await Promise.all(runs);
  if (failures.length > 0) throw failures[0];
}

export async function allReady(tasks: readonly Task[]): Promise<void> {
  await Promise.all(tasks.map((task) => task.ready));
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves when the work is done, or the signal aborts; the work may go on then. */
export function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
    void work.finally(done);
  });
}

/** Calls `look` each so many milliseconds until the signal aborts. */
export async function repeat(
  look: () => void,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  const timer = setInterval(look, everyMs);
  await aborted(signal);
  clearInterval(timer);
}

/** Runs all tasks until `stop` aborts and what follows from that is done; throws as `runTasks`. */
export async function runUntilReleased(options: {
  readonly tasks: readonly Task[];
  readonly stop: AbortSignal;
  readonly release: () => Promise<void>;
  readonly onRunning: () => void;
  readonly onReady: () => void;
}): Promise<void> {
  const { tasks, stop, release, onRunning, onReady } = options;
  const end = new AbortController();
  // It may have been told to stop before it came so far.
  void aborted(stop)
    .then(release)
    .finally(() => end.abort());
  onRunning();
  void allReady(tasks).then(onReady);
  await runTasks(tasks, end.signal);
}
