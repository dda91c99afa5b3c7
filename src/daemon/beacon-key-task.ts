// Keeps the key of the beacons: from the store at first, then from the Secret, which the leader
// creates when it is missing. What was learnt last stays in use, whatever becomes of the Secret.

import { BEACON_KEY_BYTES, BeaconKeys, isSameKey, SEND_OLD_MS } from "../core/beacon-keys.ts";
import type { Random } from "../core/random.ts";
import { after, type Clock, earliest } from "../core/time.ts";
import {
  BEACON_SECRET,
  type BeaconSecret,
  createBeaconSecret,
  readBeaconSecret,
} from "../k8s-sync/beacon-secret.ts";
import type { ApiRequests } from "../k8s-sync/client.ts";
import { type ApiFailure, isRefusal, type Outcome } from "../k8s-sync/outcome.ts";
import { type Sleep, timerSleep } from "../k8s-sync/sleep.ts";
import type { Store } from "../store/store.ts";
import type { Task } from "./tasks.ts";

export interface BeaconKeyState {
  /** Null: no key yet. */
  readonly sending: Uint8Array | null;
  /** Newest first. */
  readonly accepted: readonly Uint8Array[];
}

export interface BeaconKeyTaskOptions {
  readonly client: ApiRequests;
  /** Of the Secret. */
  readonly namespace: string;
  readonly store: Pick<Store, "setting" | "saveSetting" | "failure">;
  readonly clock: Clock;
  readonly random: Random;
  /** Secret ones: the key of a new Secret. */
  readonly randomBytes: (count: number) => Uint8Array;
  readonly isLeader: () => boolean;
  /** Called with every change; before the first call there is no key. */
  readonly onKeys: (keys: BeaconKeyState) => void;
  /** Timers, unless given. */
  readonly sleep?: Sleep;
}

const READ_EVERY_MS = 4_000;
const RETRY_MS = 1_000;
const READ_TIMEOUT_MS = 3_000;
/** Waits are within a tenth of what they should be, so that nodes do not ask all at once. */
const JITTER = 0.1;
/** Name in the store of: the key that is sent, then the newest other one that is accepted. */
const SETTING = "beacon-keys";
const SAVED_BYTES: readonly number[] = [BEACON_KEY_BYTES, 2 * BEACON_KEY_BYTES];
const NO_KEY = "there is no key for beacons yet";

export class BeaconKeyTask implements Task {
  readonly name = "beacon-key";
  readonly #options: BeaconKeyTaskOptions;
  readonly #sleep: Sleep;
  readonly #keys = new BeaconKeys();
  #told: BeaconKeyState = { sending: null, accepted: [] };
  #saved: Uint8Array | null = null;
  /** Why the last read or creation failed. */
  #failure: ApiFailure | null = null;
  /** What is wrong with the Secret as it was read last. */
  #damage: string | null = null;

  constructor(options: BeaconKeyTaskOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
  }

  /** For the operator: no key and why, or why a new key would not be learnt; null: all is well. */
  problem(): string | null {
    const hasKey = this.#told.sending !== null;
    if (this.#damage !== null) {
      return `${this.#damage}; ${hasKey ? "the last good key stays in use" : NO_KEY}`;
    }
    const failure = this.#failure;
    if (hasKey) return failure !== null && isRefusal(failure) ? failure.message : null;
    if (failure === null) return `${NO_KEY}: the Secret was not read yet`;
    if (failure.kind !== "not-found" || this.#options.isLeader()) {
      return `${NO_KEY}: ${failure.message}`;
    }
    const secret = `"${this.#options.namespace}/${BEACON_SECRET}"`;
    return `${NO_KEY}: the Secret ${secret} does not exist; the leader creates it`;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    this.#restore();
    this.#tell();
    let readAt = clock.boot();
    while (!signal.aborted) {
      if (clock.boot() >= readAt) {
        const secret = await this.#ask(signal);
        if (signal.aborted) return;
        const pauseMs = this.#take(secret) * (1 - JITTER + 2 * JITTER * random());
        readAt = after(clock.boot(), pauseMs);
      }
      this.#tell();
      const now = clock.boot();
      const next = earliest(readAt, this.#keys.nextDeadline(now));
      await this.#sleep(Math.max(1, Math.ceil(next - now)), signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<Outcome<BeaconSecret>> {
    const { client, namespace, isLeader, randomBytes } = this.#options;
    const limits = { timeoutMs: READ_TIMEOUT_MS, signal };
    const found = await readBeaconSecret(client, namespace, limits);
    if (found.ok || found.failure.kind !== "not-found" || !isLeader()) return found;
    const key = randomBytes(BEACON_KEY_BYTES);
    const created = await createBeaconSecret(client, namespace, key, limits);
    if (!created.ok && created.failure.kind !== "already-exists") return created;
    // What counts is what is there now, whoever wrote it.
    return readBeaconSecret(client, namespace, limits);
  }

  /** How long to wait before the next read. */
  #take(secret: Outcome<BeaconSecret>): number {
    this.#failure = secret.ok ? null : secret.failure;
    if (!secret.ok) {
      return Math.max(RETRY_MS, Math.min(secret.failure.retryAfterMs ?? 0, READ_EVERY_MS));
    }
    const { value } = secret;
    this.#damage = value.kind === "damaged" ? value.problem : null;
    if (value.kind === "keys") this.#keys.learn(value.keys, this.#options.clock.boot());
    return READ_EVERY_MS;
  }

  /** Saved before it is told: a key that was sent is known after a crash, if the disk works. */
  #tell(): void {
    const now = this.#options.clock.boot();
    const keys = { sending: this.#keys.sending(now), accepted: this.#keys.accepted(now) };
    this.#save(keys);
    if (isSameState(keys, this.#told)) return;
    this.#told = keys;
    this.#options.onKeys(keys);
  }

  #save({ sending, accepted }: BeaconKeyState): void {
    if (sending === null) return;
    const other = accepted.find((key) => !isSameKey(key, sending));
    const bytes = Uint8Array.from([...sending, ...(other ?? [])]);
    if (this.#saved !== null && isSameKey(bytes, this.#saved)) return;
    const { store } = this.#options;
    store.saveSetting(SETTING, bytes);
    // A disk that was full is tried again with the next read.
    this.#saved = store.failure() === null ? bytes : null;
  }

  #restore(): void {
    const bytes = this.#options.store.setting(SETTING);
    if (bytes === null || !SAVED_BYTES.includes(bytes.length)) return;
    this.#saved = bytes;
    const [sending, other] = [bytes.slice(0, BEACON_KEY_BYTES), bytes.slice(BEACON_KEY_BYTES)];
    // As if learnt just so long ago that the one that was sent goes on being sent.
    const learntAt = after(this.#options.clock.boot(), -SEND_OLD_MS);
    if (other.length > 0) this.#keys.learn({ current: other, previous: null }, learntAt);
    this.#keys.learn({ current: sending, previous: null }, learntAt);
  }
}

function isSameState(a: BeaconKeyState, b: BeaconKeyState): boolean {
  return isSameKey(allKeys(a), allKeys(b));
}

/** One after another: each has the same length. */
function allKeys({ sending, accepted }: BeaconKeyState): Uint8Array {
  return Uint8Array.from([sending ?? [], ...accepted].flatMap((key) => [...key]));
}
