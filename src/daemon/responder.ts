// The main thread's side of the responder thread. A thread that dies takes the process with it:
// systemd starts both again, and until then nothing is answered.

import { Worker } from "node:worker_threads";
import type { Asked } from "../answering/asks.ts";
import { BeaconMeasures } from "../beacon/measures.ts";
import type { PeerNews } from "../beacon/news.ts";
import type { Ip } from "../core/address.ts";
import type { PackedLog } from "./frame-log.ts";
import type {
  FromResponder,
  Probed,
  ResponderProblem,
  ResponderReport,
  ResponderStart,
  Sighted,
  ToResponder,
  VipAnswers,
} from "./responder-messages.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface ResponderOptions {
  readonly start: ResponderStart;
  readonly onPeer: (news: PeerNews) => void;
  readonly onAsked: (asked: Asked) => void;
  readonly onSeen: (seen: Asked) => void;
  readonly onProbed: (probed: readonly Probed[]) => void;
  readonly onSighted: (sighted: Sighted) => void;
  /** The interfaces on which it cannot work now, with every report. */
  readonly onProblems: (problems: readonly ResponderProblem[]) => void;
  readonly onHeard: (heard: Extract<FromResponder, { type: "heard" }>) => void;
  /** Null: the thread has real-time priority; otherwise why not. */
  readonly onReady: (realtime: string | null) => void;
}

/** How often the thread is asked for its counters; its answer is also its sign of life. */
const REPORT_EVERY_MS = 500;
const STOP_TIMEOUT_MS = 1_000;
/** An answer to a person waits no longer than this for fresh counters. */
const REFRESH_TIMEOUT_MS = 200;

const EMPTY_REPORT: ResponderReport = {
  measures: new BeaconMeasures().get(),
  loopDelays: [],
  counters: {},
  vips: [],
  problems: [],
  peers: [],
  groupProblem: null,
  foreignClusters: [],
};

export class Responder implements Task {
  readonly name = "responder";
  readonly ready: Promise<void>;
  readonly #options: ResponderOptions;
  readonly #resolveReady: () => void;
  #worker: Worker | null = null;
  /** Messages that wait for the thread, or for the end of what is being done. */
  #waiting: ToResponder[] = [];
  #isFlushing = false;
  #report: ResponderReport = EMPTY_REPORT;
  #answers: ReadonlyMap<Ip, VipAnswers> = new Map();
  #reports = 0;
  #nextReport = Promise.withResolvers<void>();
  #frames: PromiseWithResolvers<PackedLog> | null = null;

  constructor(options: ResponderOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolveReady = resolve;
  }

  /** In order; those of one turn go together. */
  tell(message: ToResponder): void {
    this.#waiting.push(message);
    if (this.#isFlushing || this.#worker === null) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushing = false;
    const messages = this.#waiting;
    this.#waiting = [];
    if (messages.length > 0) this.#worker?.postMessage(messages);
  }

  report(): ResponderReport {
    return this.#report;
  }

  answersFor(address: Ip): VipAnswers | null {
    return this.#answers.get(address) ?? null;
  }

  /** Resolves with a whole report, or without one when the thread takes too long. */
  async refresh({ forMetrics = false } = {}): Promise<void> {
    if (this.#worker === null) return;
    this.tell({ type: "report", withAnswers: true, withDelays: forMetrics });
    await within(REFRESH_TIMEOUT_MS, this.#nextReport.promise);
  }

  /** The last frames and decisions; null when the thread takes too long. */
  async frames(): Promise<PackedLog | null> {
    if (this.#worker === null) return null;
    this.#frames ??= Promise.withResolvers();
    this.tell({ type: "frames" });
    return within(REFRESH_TIMEOUT_MS, this.#frames.promise);
  }

  /** Counts up while the thread is alive. */
  get progress(): number {
    return this.#reports;
  }

  async run(signal: AbortSignal): Promise<void> {
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./responder-thread.${extension}`, import.meta.url), {
      workerData: this.#options.start,
    });
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    worker.on("message", (message: FromResponder) => this.#receive(message));
    worker.once("error", reject);
    worker.once("exit", (code) => {
      if (signal.aborted) resolve();
      else reject(new Error(`The responder thread ended by itself (${code})`));
    });
    this.#worker = worker;
    this.#flush();
    const timer = setInterval(
      () => this.tell({ type: "report", withAnswers: false }),
      REPORT_EVERY_MS,
    );
    try {
      await Promise.race([ended, aborted(signal)]);
    } finally {
      clearInterval(timer);
    }
    this.tell({ type: "stop" });
    const deadline = setTimeout(() => void worker.terminate(), STOP_TIMEOUT_MS);
    await ended.finally(() => clearTimeout(deadline));
  }

  #receive(message: FromResponder): void {
    switch (message.type) {
      case "ready":
        this.#options.onReady(message.realtime);
        this.#resolveReady();
        return;
      case "heard":
        this.#options.onHeard(message);
        return;
      case "asked":
        for (const asked of message.asked) this.#options.onAsked(asked);
        return;
      case "seen":
        this.#options.onSeen(message.seen);
        return;
      case "probed":
        this.#options.onProbed(message.probed);
        return;
      case "sighted":
        this.#options.onSighted(message.sighted);
        return;
      case "peer":
        this.#options.onPeer(message.news);
        return;
      case "frames":
        this.#frames?.resolve(message.log);
        this.#frames = null;
        return;
      case "report": {
        this.#reports += 1;
        const { report, withAnswers } = message;
        this.#options.onProblems(report.problems);
        const before = this.#report;
        const loopDelays = report.loopDelays.length > 0 ? report.loopDelays : before.loopDelays;
        this.#report = { ...report, loopDelays, ...(withAnswers ? {} : { vips: before.vips }) };
        if (!withAnswers) return;
        this.#answers = new Map(report.vips.map((vip) => [vip.address, vip]));
        this.#nextReport.resolve();
        this.#nextReport = Promise.withResolvers();
        return;
      }
    }
  }
}

/** What is promised, or null when it takes longer. */
async function within<T>(limitMs: number, promised: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, limitMs, null);
  });
  const first = await Promise.race([promised, late]);
  clearTimeout(timer);
  return first;
}
