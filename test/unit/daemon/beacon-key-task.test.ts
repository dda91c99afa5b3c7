// The task that keeps the beacons' key, against a made-up API server, and with time that passes
// only while the task sleeps.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCEPT_OLD_MS, SEND_OLD_MS } from "../../../src/core/beacon-keys.ts";
import { AppError } from "../../../src/core/errors.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { BeaconKeyTask } from "../../../src/daemon/beacon-key-task.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import {
  type ApiFailureKind,
  failed,
  type Outcome,
  success,
} from "../../../src/k8s-sync/outcome.ts";

const [A, B] = [keyOf(1), keyOf(2)];
const NEW = 9;

function keyOf(n: number): Uint8Array {
  return new Uint8Array(32).fill(n);
}

type Data = Record<string, Uint8Array>;

class Bench implements ApiRequests {
  now = 0;
  /** What the Secret has; null: there is none. */
  secret: Data | null = null;
  failure: ApiFailureKind | null = null;
  retryAfterMs: number | undefined;
  isLeader = false;
  /** Run when a creation arrives, before it is answered. */
  beforeCreate = (): void => {};
  /** Nothing can be saved. */
  isDiskFull = false;
  readonly saved = new Map<string, Uint8Array>();
  /** "GET 0": a request and its time in ms. */
  readonly asked: string[] = [];
  /** "0 sends 1 accepts 1,2": with the first byte of each key. */
  readonly told: string[] = [];
  readonly #plan: { at: number; act: () => void }[] = [];
  readonly #stop = new AbortController();
  readonly task: BeaconKeyTask;

  constructor(random = 0.5) {
    this.task = new BeaconKeyTask({
      client: this,
      namespace: "lbd-system",
      store: {
        setting: (name) => this.saved.get(name) ?? null,
        saveSetting: (name, bytes) => {
          if (!this.isDiskFull) this.saved.set(name, bytes);
        },
        failure: () => (this.isDiskFull ? new AppError("STORE_UNAVAILABLE", "full") : null),
      },
      clock: { boot: () => bootMs(this.now), wall: () => wallMs(this.now) },
      random: () => random,
      randomBytes: (count) => new Uint8Array(count).fill(NEW),
      isLeader: () => this.isLeader,
      onKeys: ({ sending, accepted }) => {
        const list = accepted.map((key) => key[0]).join();
        this.told.push(`${this.now} sends ${sending?.[0] ?? "none"} accepts ${list}`);
      },
      sleep: async (ms) => this.#sleep(ms),
    });
  }

  at(at: number, act: () => void): this {
    this.#plan.push({ at, act });
    return this;
  }

  /** Runs the task to a point of time, at which it is stopped. */
  async runUntil(end: number): Promise<this> {
    this.at(end, () => this.#stop.abort());
    this.#plan.sort((a, b) => a.at - b.at);
    await this.task.run(this.#stop.signal);
    return this;
  }

  #sleep(ms: number): void {
    assert.ok(ms >= 1);
    this.now += ms;
    while ((this.#plan[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) this.#plan.shift()?.act();
  }

  async request<T>(request: ApiRequest): Promise<Outcome<T>> {
    this.asked.push(`${request.method} ${this.now}`);
    if (this.failure !== null) {
      const { retryAfterMs } = this;
      return failed(this.failure, this.failure, retryAfterMs === undefined ? {} : { retryAfterMs });
    }
    return (request.method === "GET" ? this.#get() : this.#create(request)) as Outcome<T>;
  }

  #get(): Outcome<unknown> {
    if (this.secret === null) return failed("not-found", "not there");
    const entries = Object.entries(this.secret);
    const data = entries.map(([name, key]) => [name, Buffer.from(key).toString("base64")]);
    const metadata = { name: "lbd-beacon-key", namespace: "lbd-system" };
    return success({ metadata, data: Object.fromEntries(data) });
  }

  #create(request: ApiRequest): Outcome<unknown> {
    this.beforeCreate();
    if (this.secret !== null) return failed("already-exists", "there");
    const { data } = request.body as { data: { current: string } };
    this.secret = { current: Buffer.from(data.current, "base64") };
    return success({});
  }
}

test("BeaconKeyTask reads at once, and then every 4 s", async () => {
  const bench = new Bench();
  bench.secret = { current: A };
  await bench.runUntil(11_000);
  assert.deepEqual(bench.asked, ["GET 0", "GET 4000", "GET 8000"]);
  assert.deepEqual(bench.told, ["0 sends 1 accepts 1"]);
  assert.equal(bench.task.problem(), null);
});

for (const [random, waits] of [
  [0, [3_600, 7_200]],
  [0.75, [4_200, 8_400]],
] as const) {
  test(`BeaconKeyTask reads with a jitter of a tenth: ${random}`, async () => {
    const bench = new Bench(random);
    bench.secret = { current: A };
    await bench.runUntil(9_000);
    assert.deepEqual(bench.asked.slice(0, 3), ["GET 0", ...waits.map((at) => `GET ${at}`)]);
  });
}

test("BeaconKeyTask tries again after 1 s, for ever, and says why there is no key", async () => {
  const bench = new Bench();
  assert.match(bench.task.problem() ?? "", /^there is no key for beacons yet: .* not read yet$/);
  bench.failure = "unreachable";
  bench.at(100_500, () => {
    assert.equal(bench.task.problem(), "there is no key for beacons yet: unreachable");
    bench.failure = null;
    bench.secret = { current: A };
  });
  await bench.runUntil(105_000);
  assert.equal(bench.asked.length, 102);
  assert.deepEqual(bench.told, ["101000 sends 1 accepts 1"]);
  assert.equal(bench.task.problem(), null);
});

test("BeaconKeyTask waits as long as an overloaded API server asks for, up to 4 s", async () => {
  const bench = new Bench();
  bench.failure = "throttled";
  bench.retryAfterMs = 3_000;
  bench.at(3_000, () => {
    bench.retryAfterMs = 3_600_000;
  });
  await bench.runUntil(14_000);
  assert.deepEqual(bench.asked, ["GET 0", "GET 3000", "GET 7000", "GET 11000"]);
});

test("BeaconKeyTask creates nothing unless it leads", async () => {
  const bench = new Bench();
  bench.at(2_500, () => {
    const end = 'the Secret "lbd-system/lbd-beacon-key" does not exist; the leader creates it';
    assert.equal(bench.task.problem(), `there is no key for beacons yet: ${end}`);
    bench.isLeader = true;
  });
  await bench.runUntil(3_500);
  assert.deepEqual(bench.asked, [
    "GET 0",
    "GET 1000",
    "GET 2000",
    "GET 3000",
    "POST 3000",
    "GET 3000",
  ]);
  assert.deepEqual(bench.told, [`3000 sends ${NEW} accepts ${NEW}`]);
  assert.deepEqual(bench.secret?.current?.length, 32);
});

test("BeaconKeyTask takes the key of another that created the Secret first", async () => {
  const bench = new Bench();
  bench.isLeader = true;
  bench.beforeCreate = () => {
    bench.secret = { current: A };
  };
  await bench.runUntil(1_000);
  assert.deepEqual(bench.told, ["0 sends 1 accepts 1"]);
});

test("BeaconKeyTask rotates: accepts at once, sends after 5 s, forgets after 60 s", async () => {
  const bench = new Bench();
  bench.secret = { current: A };
  bench.at(15_000, () => {
    bench.secret = { current: B };
  });
  await bench.runUntil(200_000);
  assert.deepEqual(bench.told, [
    "0 sends 1 accepts 1",
    "16000 sends 1 accepts 2,1",
    `${16_000 + SEND_OLD_MS} sends 2 accepts 2,1`,
    `${16_000 + ACCEPT_OLD_MS} sends 2 accepts 2`,
  ]);
});

test("BeaconKeyTask keeps the last good key when the Secret is damaged, and says so", async () => {
  const bench = new Bench();
  bench.secret = { current: A };
  bench.at(5_000, () => {
    bench.secret = { current: B.subarray(1) };
  });
  bench.at(15_000, () => {
    assert.match(bench.task.problem() ?? "", /31 bytes instead of 32; the last good key stays/);
    bench.isLeader = true;
    bench.failure = "unreachable";
  });
  bench.at(25_000, () => {
    assert.match(bench.task.problem() ?? "", /31 bytes/, "still what is known of it");
    bench.failure = null;
    bench.secret = { current: A, previous: B };
  });
  await bench.runUntil(40_000);
  assert.equal(bench.task.problem(), null);
  assert.deepEqual(bench.told, ["0 sends 1 accepts 1", "25000 sends 1 accepts 1,2"]);
  assert.ok(
    bench.asked.every((asked) => asked.startsWith("GET")),
    "a leader mends nothing",
  );
});

test("BeaconKeyTask says that a damaged Secret gives no key", async () => {
  const bench = new Bench();
  bench.secret = {};
  await bench.runUntil(1_000);
  assert.match(bench.task.problem() ?? "", /has no "current"; there is no key for beacons yet$/);
  assert.deepEqual(bench.told, []);
});

for (const [kind, problem] of [
  ["unreachable", null],
  ["forbidden", "forbidden"],
] as const) {
  test(`BeaconKeyTask with a key, when reading is ${kind}: ${problem ?? "fine"}`, async () => {
    const bench = new Bench();
    bench.secret = { current: A };
    bench.at(5_000, () => {
      bench.failure = kind;
    });
    await bench.runUntil(12_000);
    assert.equal(bench.task.problem(), problem);
  });
}

test("BeaconKeyTask works on a full disk, and saves the key when there is room again", async () => {
  const bench = new Bench();
  bench.secret = { current: A };
  bench.isDiskFull = true;
  bench.at(15_000, () => {
    assert.equal(bench.saved.size, 0);
    bench.isDiskFull = false;
  });
  await bench.runUntil(25_000);
  assert.deepEqual(bench.told, ["0 sends 1 accepts 1"]);
  assert.deepEqual([...bench.saved.values()], [A]);
});

/** A bench that goes on with what another one saved. */
function restarted(from: Bench): Bench {
  const bench = new Bench();
  for (const [name, bytes] of from.saved) bench.saved.set(name, bytes);
  return bench;
}

/** Rotated from A to B at 12 s, run until a point of time, then started again without the API. */
async function restartedAt(end: number): Promise<Bench> {
  const bench = new Bench();
  bench.secret = { current: A };
  bench.at(9_000, () => {
    bench.secret = { current: B };
  });
  return restarted(await bench.runUntil(end));
}

const RESTARTS: readonly (readonly [string, number, string])[] = [
  ["before a rotation", 8_000, "0 sends 1 accepts 1"],
  ["while the old key is still sent", 14_000, "0 sends 1 accepts 1,2"],
  ["while the old key is still accepted", 30_000, "0 sends 2 accepts 2,1"],
  ["long after", 90_000, "0 sends 2 accepts 2"],
];

for (const [name, end, told] of RESTARTS) {
  test(`BeaconKeyTask starts with what it had, without the API: ${name}`, async () => {
    const bench = await restartedAt(end);
    bench.failure = "unreachable";
    await bench.runUntil(3_000);
    assert.deepEqual(bench.told, [told]);
    assert.equal(bench.task.problem(), null);
  });
}

test("BeaconKeyTask restarted in the middle of a rotation goes through with it", async () => {
  const bench = await restartedAt(14_000);
  bench.secret = { current: B };
  await bench.runUntil(100_000);
  assert.deepEqual(bench.told, [
    "0 sends 1 accepts 1,2",
    "0 sends 1 accepts 2,1",
    `${SEND_OLD_MS} sends 2 accepts 2,1`,
    `${ACCEPT_OLD_MS} sends 2 accepts 2`,
  ]);
});

test("BeaconKeyTask restarted after a rotation still accepts the old key", async () => {
  const bench = await restartedAt(30_000);
  bench.secret = { current: B };
  await bench.runUntil(100_000);
  const end = ACCEPT_OLD_MS - SEND_OLD_MS;
  assert.deepEqual(bench.told, ["0 sends 2 accepts 2,1", `${end} sends 2 accepts 2`]);
});

for (const length of [0, 31, 33, 96]) {
  test(`BeaconKeyTask ignores a saved value of ${length} bytes`, async () => {
    const bench = new Bench();
    bench.saved.set("beacon-keys", new Uint8Array(length));
    bench.secret = { current: A };
    await bench.runUntil(1_000);
    assert.deepEqual(bench.told, ["0 sends 1 accepts 1"]);
    assert.deepEqual(bench.saved.get("beacon-keys"), A);
  });
}
