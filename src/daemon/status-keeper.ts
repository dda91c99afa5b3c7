// Keeps the status objects of one kind equal to what is wanted, at its own pace: nothing waits for
// it, and it lets a burst of changes pass before it writes. It promises eventual equality only.

import type { Random } from "../core/random.ts";
import { isOlderVersion } from "../core/resource-version.ts";
import type { Clock } from "../core/time.ts";
import { backoffMs } from "../k8s-sync/backoff.ts";
import type { ApiWatches } from "../k8s-sync/client.ts";
import { decodeOwnedObject } from "../k8s-sync/decode.ts";
import type { OwnedObject } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import { Reflector } from "../k8s-sync/reflector.ts";
import { type Sleep, timerSleep } from "../k8s-sync/sleep.ts";
import type { StatusObjectClient } from "../k8s-sync/status-objects.ts";
import { Waker } from "../k8s-sync/waker.ts";
import { nextWrite, type StatusWrite, type WantedObject } from "./status-object.ts";
import type { Task } from "./tasks.ts";

export interface StatusKeeperOptions {
  /** Plural, as in the path. */
  readonly resource: string;
  readonly client: ApiWatches;
  readonly objects: StatusObjectClient;
  /** Which of them are seen; missing: all of the namespace. */
  readonly labelSelector?: string;
  /** By name; null: nothing is known yet. `actual`: what the API has of a name. */
  readonly wanted: (
    actual: (name: string) => OwnedObject | undefined,
  ) => ReadonlyMap<string, WantedObject> | null;
  /** Whether one that is not wanted is this daemon's to delete. */
  readonly mayDelete: (object: OwnedObject) => boolean;
  /** Once for each text, until something succeeds. */
  readonly onFailure: (failure: ApiFailure) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep?: Sleep;
}

/** What changes together is looked at together; and a failover's claims are through by then. */
const SETTLE_MS = 1_000;
/** Also without a reason to: what nobody told of. With thousands it takes tens of milliseconds. */
const LOOK_EVERY_MS = 60_000;
/** Between two writes of one of the workers: 20 a second for both, so that on many nodes together
 * they leave the API server to statuses of Services and Leases. */
const SPACING_MS = 100;
const WORKERS = 2;
/** Then it is looked anew what is wanted. */
const WRITES_A_PASS_MAX = 200;
/** How seldom an API without the resource is asked for it. */
const RETRY_MS_MAX = 60_000;

export class StatusKeeper implements Task {
  readonly name: string;
  readonly #options: StatusKeeperOptions;
  readonly #sleep: Sleep;
  readonly #reflector: Reflector<OwnedObject>;
  readonly #waker = new Waker();
  readonly #seen = new Map<string, OwnedObject>();
  /** What the API made of our writes: newer than what the watch has brought so far. */
  readonly #written = new Map<string, OwnedObject>();
  /** UIDs of what was deleted, and that the watch still shows, by name. */
  readonly #deleted = new Map<string, string>();
  #lastFailure = "";
  #failures = 0;

  constructor(options: StatusKeeperOptions) {
    const { resource, objects, client, clock, random, labelSelector } = options;
    this.name = resource;
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
    const selector = labelSelector === undefined ? {} : { labelSelector };
    this.#reflector = new Reflector<OwnedObject>({
      ...{ client, clock, random, sleep: this.#sleep, backoffCapMs: RETRY_MS_MAX },
      resource: { path: objects.path, name: resource, ...selector },
      decode: decodeOwnedObject,
      sink: {
        replace: (all) => this.#replace(all),
        upsert: (object) => this.#upsert(object),
        remove: (object) => this.#remove(object),
      },
      onState: ({ failure }) => (failure === null ? this.kick() : this.#tell(failure)),
    });
  }

  /** Something may be wanted otherwise. */
  kick(): void {
    this.#waker.wake();
  }

  /** As the API has it, as far as is known. */
  actual(name: string): OwnedObject | undefined {
    const seen = this.#seen.get(name);
    const written = this.#written.get(name);
    if (written === undefined) return this.#unlessDeleted(seen);
    const isBehind =
      seen === undefined ||
      isOlderVersion(seen.metadata.resourceVersion, written.metadata.resourceVersion);
    if (isBehind) return written;
    this.#written.delete(name);
    return this.#unlessDeleted(seen);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#reflector.run(signal), this.#keep(signal)]);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#waker.wait(signal, (woken) => this.#sleep(LOOK_EVERY_MS, woken));
      await this.#sleep(SETTLE_MS, signal);
      if (signal.aborted) return;
      const failure = await this.look(signal);
      if (failure === null) continue;
      const options = { retryAfterMs: failure.retryAfterMs, capMs: RETRY_MS_MAX };
      await this.#sleep(backoffMs(this.#failures++, this.#options.random, options), signal);
    }
  }

  /** Writes what differs; returns why it did not go on to the end, or null. */
  async look(signal: AbortSignal): Promise<ApiFailure | null> {
    const { synced, failure } = this.#reflector.state();
    if (!synced || failure !== null) return null;
    const wanted = this.#options.wanted((name) => this.actual(name));
    if (wanted === null) return null;
    const due = this.#due(wanted);
    if (due.length > WRITES_A_PASS_MAX) this.kick();
    const names = due.slice(0, WRITES_A_PASS_MAX).values();
    let stopped: ApiFailure | null = null;
    const work = async (): Promise<void> => {
      for (const name of names) {
        if (stopped !== null || signal.aborted) return;
        const failure = await this.#bring(name, wanted.get(name), signal);
        if (failure !== null) stopped = failure;
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    if (stopped === null && due.length > 0) this.#succeeded();
    return stopped;
  }

  #due(wanted: ReadonlyMap<string, WantedObject>): string[] {
    const names = new Set([...wanted.keys(), ...this.#seen.keys(), ...this.#written.keys()]);
    return [...names].filter((name) => this.#step(name, wanted.get(name)) !== null);
  }

  #step(name: string, wanted: WantedObject | undefined): StatusWrite | null {
    const actual = this.actual(name);
    const write = nextWrite(wanted, actual);
    const isOurs =
      wanted !== undefined || (actual !== undefined && this.#options.mayDelete(actual));
    return isOurs ? write : null;
  }

  /** Write by write until it is as wanted; the failure that stops all of them, or null. */
  async #bring(
    name: string,
    wanted: WantedObject | undefined,
    signal: AbortSignal,
  ): Promise<ApiFailure | null> {
    const done = new Set<StatusWrite>();
    for (let step = this.#step(name, wanted); step !== null; step = this.#step(name, wanted)) {
      if (signal.aborted) return null;
      if (done.has(step)) return this.#notKept(name);
      done.add(step);
      const outcome = await this.#write({ step, name, wanted, signal });
      await this.#sleep(SPACING_MS, signal);
      if (outcome.ok) continue;
      const { failure } = outcome;
      const isOfOne = isOfOneObject(step, failure);
      if (!isOfOne || failure.kind === "invalid") this.#tell(failure);
      return isOfOne ? null : failure;
    }
    return null;
  }

  /** Written, and not there: a definition that knows no such fields drops them. */
  #notKept(name: string): ApiFailure {
    const message =
      `Cannot write ${this.name} "${name}": the API server does not keep what is written; ` +
      "kubectl apply -f deploy/crds.yaml";
    const failure = { kind: "invalid", message } as const;
    this.#tell(failure);
    return failure;
  }

  async #write({ step, name, wanted, signal }: Write): Promise<Outcome<unknown>> {
    const actual = this.actual(name);
    if (step === "delete" || wanted === undefined) return this.#delete(name, actual, signal);
    const outcome = await this.#send(step, wanted, signal);
    if (outcome.ok) this.#written.set(name, outcome.value);
    else if (outcome.failure.kind === "not-found") this.#gone(name, actual);
    return outcome;
  }

  async #send(
    step: Exclude<StatusWrite, "delete">,
    wanted: WantedObject,
    signal: AbortSignal,
  ): Promise<Outcome<OwnedObject>> {
    const { objects } = this.#options;
    if (step === "metadata") return objects.patchMetadata(wanted, { signal });
    if (step === "status") return objects.patchStatus(wanted.name, wanted.status, { signal });
    const made = await objects.create(wanted, { signal });
    if (made.ok || made.failure.kind !== "already-exists") return made;
    // It is there and not seen: somebody took its labels away, or an answer was lost.
    return objects.patchMetadata(wanted, { signal });
  }

  async #delete(
    name: string,
    actual: OwnedObject | undefined,
    signal: AbortSignal,
  ): Promise<Outcome<unknown>> {
    const uid = actual?.metadata.uid ?? "";
    const outcome = await this.#options.objects.delete(name, uid, { signal });
    if (outcome.ok || outcome.failure.kind === "not-found") this.#gone(name, actual);
    return outcome;
  }

  #gone(name: string, actual: OwnedObject | undefined): void {
    this.#written.delete(name);
    if (this.#seen.has(name)) this.#deleted.set(name, actual?.metadata.uid ?? "");
  }

  #unlessDeleted(seen: OwnedObject | undefined): OwnedObject | undefined {
    const isDeleted =
      seen !== undefined && this.#deleted.get(seen.metadata.name) === seen.metadata.uid;
    return isDeleted ? undefined : seen;
  }

  #replace(all: readonly OwnedObject[]): void {
    this.#seen.clear();
    this.#written.clear();
    this.#deleted.clear();
    for (const object of all) this.#seen.set(object.metadata.name, object);
    this.kick();
  }

  #upsert(object: OwnedObject): void {
    this.#seen.set(object.metadata.name, object);
    this.kick();
  }

  #remove({ metadata: { name, uid } }: OwnedObject): void {
    this.#seen.delete(name);
    this.#deleted.delete(name);
    if (this.#written.get(name)?.metadata.uid === uid) this.#written.delete(name);
    this.kick();
  }

  #tell(failure: ApiFailure): void {
    if (failure.message === this.#lastFailure) return;
    this.#lastFailure = failure.message;
    this.#options.onFailure(failure);
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#lastFailure = "";
  }
}

interface Write {
  readonly step: StatusWrite;
  readonly name: string;
  readonly wanted: WantedObject | undefined;
  readonly signal: AbortSignal;
}

/** What a create cannot do no other can; the rest may be about this one object. */
function isOfOneObject(step: StatusWrite, { kind }: ApiFailure): boolean {
  return step !== "create" && ["not-found", "conflict", "invalid"].includes(kind);
}
