// Edits of one Service, many a second, and what the API server made of them: how many took effect
// in which time, by its own account, and every state that the Service was in.

import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient } from "../../../src/k8s-sync/client.ts";
import { addressesOf, SERVICES, type SeenService, watchServices } from "./service-watch.ts";

export interface EditPlan {
  readonly name: string;
  readonly count: number;
  readonly aSecond: number;
  /** A merge patch. */
  readonly editOf: (i: number) => object;
}

export interface EditsMade {
  /** The addresses of the Service in each of its states. */
  readonly states: readonly (readonly string[])[];
  /** Edits that took effect, by the times that the API server wrote down. */
  readonly aSecond: number;
}

export interface Edits {
  /** Some have been made. */
  readonly begun: Promise<void>;
  readonly done: Promise<EditsMade>;
  readonly isOver: boolean;
}

const MANAGER = "storm";
const TIMEOUT_MS = 60_000;
const BEGUN = 10;

export function editAgainAndAgain(api: ApiClient, plan: EditPlan): Edits {
  const begun = Promise.withResolvers<void>();
  let isOver = false;
  const run = async (): Promise<EditsMade> => {
    const watching = new AbortController();
    const seen = new Seen(plan.name);
    const watch = watchServices(api, (_, service) => seen.add(service), watching.signal);
    try {
      const versions = await sendAll(api, plan, begun.resolve);
      isOver = true;
      await Promise.race([watch, seen.until(versions)]);
      return { states: seen.states, aSecond: seen.aSecond };
    } finally {
      begun.resolve();
      watching.abort();
      await watch;
    }
  };
  return {
    begun: begun.promise,
    done: run(),
    get isOver() {
      return isOver;
    },
  };
}

/** Each at its time, whatever becomes of those before; returns the last version that they made. */
async function sendAll(api: ApiClient, plan: EditPlan, onBegun: () => void): Promise<string> {
  const startedAt = performance.now();
  const sent: Promise<string>[] = [];
  for (let i = 0; i < plan.count; i++) {
    await sleep(Math.max(0, startedAt + (i * 1_000) / plan.aSecond - performance.now()));
    sent.push(send(api, plan.name, plan.editOf(i)));
    if (i === BEGUN) onBegun();
  }
  const versions = (await Promise.all(sent)).filter((version) => version !== "");
  return versions.reduce((last, version) => (Number(version) > Number(last) ? version : last), "0");
}

/** The version that it made; "": the API server gave it up, as others were faster each time. */
async function send(api: ApiClient, name: string, body: object): Promise<string> {
  const outcome = await api.request<SeenService>({
    method: "PATCH",
    path: `${SERVICES}/${name}`,
    query: { fieldManager: MANAGER },
    contentType: "application/merge-patch+json",
    body,
    timeoutMs: TIMEOUT_MS,
  });
  if (outcome.ok) return outcome.value.metadata.resourceVersion;
  if (outcome.failure.kind === "conflict") return "";
  throw new Error(outcome.failure.message);
}

/** The states of one Service, as a watch shows them. */
class Seen {
  readonly states: string[][] = [];
  readonly #name: string;
  /** Second in which the API server took an edit, for each version that has one. */
  readonly #times: number[] = [];
  #last = 0;
  #onAdded: () => void = () => {};

  constructor(name: string) {
    this.#name = name;
  }

  add(service: SeenService): void {
    const { name, resourceVersion, managedFields = [] } = service.metadata;
    if (name !== this.#name) return;
    this.states.push(addressesOf(service));
    const mine = managedFields.find(({ manager }) => manager === MANAGER);
    const latest = Math.max(...managedFields.map(({ time }) => Date.parse(time)));
    if (mine !== undefined && Date.parse(mine.time) === latest) {
      this.#times.push(Date.parse(mine.time) / 1_000);
    }
    this.#last = Number(resourceVersion);
    this.#onAdded();
  }

  /** Until that version was seen, or a later one. */
  async until(version: string): Promise<void> {
    while (this.#last < Number(version)) {
      await new Promise<void>((resolve) => {
        this.#onAdded = resolve;
      });
    }
  }

  /** Of the seconds between the first and the last, which are whole. */
  get aSecond(): number {
    const [first = 0, last = 0] = [Math.min(...this.#times), Math.max(...this.#times)];
    const within = this.#times.filter((time) => time > first && time < last);
    return within.length / Math.max(1, last - first - 1);
  }
}
