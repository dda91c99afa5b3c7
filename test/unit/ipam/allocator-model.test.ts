// Random sequences of Services coming, changing and going, and of pools changing, on the allocator
// and on a plain model beside it. The rules that matter are checked on their own as well.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Ip, ipFamily, ipToBigInt } from "../../../src/core/address.ts";
import { Allocator } from "../../../src/ipam/allocator.ts";
import type { AllocatablePool, Allotment, ServiceRequest } from "../../../src/ipam/types.ts";
import { ModelAllocator } from "../../support/ipam-model.ts";
import { ip, pool, type RequestOptions, request } from "../../support/ipam-requests.ts";

interface Cluster {
  readonly allocator: Allocator;
  readonly pools: { now: readonly AllocatablePool[] };
  readonly reserved: { now: ReadonlySet<Ip> };
  /** What every Service asks for, and what its status says. */
  readonly asks: Map<string, RequestOptions>;
  readonly statuses: Map<string, readonly Ip[]>;
}

/** For namespace "ns" with label tier=edge alone, and for everybody. */
const EDGE: Allotment = {
  priority: 5,
  offersTo: ({ labels }) => labels.tier === "edge",
  admits: ({ labels }) => labels.tier === "edge",
};
const FIRST: Allotment = { priority: 1, offersTo: () => true, admits: () => true };
const NOBODY: Allotment = { priority: 0, offersTo: () => false, admits: () => true };

const CONFIGS: readonly (readonly AllocatablePool[])[] = [
  [],
  [pool("a", ["10.0.0.0/29"]), pool("dual", ["10.1.0.254-10.1.1.2", "2001:db8::/126"])],
  [pool("a", ["10.0.0.0/30"]), pool("b", ["10.0.0.4/30"], { autoAssign: false })],
  [
    pool("a", ["10.0.0.4/30", "10.0.0.0/31"], { avoidBuggyIps: true }),
    pool("dual", ["10.1.0.254-10.1.1.2", "2001:db8::/126"], { avoidBuggyIps: true }),
  ],
  [pool("six", ["2001:db8::/127"]), pool("zone", ["10.0.0.2/31"])],
  [
    pool("a", ["10.0.0.0/30"], { allotment: EDGE }),
    pool("b", ["10.0.0.4/31", "2001:db8::/127"], { allotment: FIRST }),
    pool("dual", ["10.1.0.254-10.1.1.0", "2001:db8::2/127"]),
    pool("none", ["10.0.0.6/31"], { allotment: NOBODY }),
  ],
];

const RESERVED: readonly (readonly string[])[] = [
  [],
  ["10.0.0.0", "10.0.0.3", "2001:db8::"],
  ["10.0.0.1", "10.1.1.1"],
];

const KEYS = ["ns/a", "ns/b", "ns/c", "ns/d", "ns/e", "ns/f"];

class Decide implements fc.Command<ModelAllocator, Cluster> {
  readonly #key: string;
  readonly #ask: RequestOptions;

  constructor(key: string, ask: RequestOptions) {
    this.#key = key;
    this.#ask = ask;
  }

  check(): boolean {
    return true;
  }

  run(model: ModelAllocator, cluster: Cluster): void {
    cluster.asks.set(this.#key, this.#ask);
    decide(model, cluster, this.#key);
    checkRules(model, cluster);
  }

  toString(): string {
    return `decide(${this.#key}, ${JSON.stringify(this.#ask)})`;
  }
}

class Release implements fc.Command<ModelAllocator, Cluster> {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  check(): boolean {
    return true;
  }

  run(model: ModelAllocator, cluster: Cluster): void {
    const held = model.held.get(this.#key)?.addresses ?? [];
    assert.deepEqual(cluster.allocator.release(this.#key), held);
    model.held.delete(this.#key);
    cluster.statuses.delete(this.#key);
    cluster.asks.delete(this.#key);
    checkRules(model, cluster);
  }

  toString(): string {
    return `release(${this.#key})`;
  }
}

class Configure implements fc.Command<ModelAllocator, Cluster> {
  readonly #config: number;
  readonly #reserved: number;

  constructor(config: number, reserved: number) {
    this.#config = config;
    this.#reserved = reserved;
  }

  check(): boolean {
    return true;
  }

  run(model: ModelAllocator, cluster: Cluster): void {
    const pools = CONFIGS[this.#config] ?? [];
    const reserved = new Set((RESERVED[this.#reserved] ?? []).map(ip));
    model.configure(pools, reserved);
    cluster.pools.now = pools;
    cluster.reserved.now = reserved;
    cluster.allocator.configure(pools, new Map([...reserved].map((one) => [one, "reserved"])));
    for (const key of cluster.asks.keys()) decide(model, cluster, key);
    checkRules(model, cluster);
  }

  toString(): string {
    return `configure(${this.#config}, ${this.#reserved})`;
  }
}

function requestOf(cluster: Cluster, key: string): ServiceRequest {
  const current = cluster.statuses.get(key) ?? [];
  return request(key, { ...cluster.asks.get(key), current });
}

function decide(model: ModelAllocator, cluster: Cluster, key: string): void {
  const { allocator, statuses, reserved } = cluster;
  const asked = requestOf(cluster, key);
  const before = statuses.get(key) ?? [];
  const isAllowed = before.length > 0 && model.mayKeep(asked, before);
  const isMet = model.isMet(asked, before);
  const decision = allocator.decide(asked);
  assert.deepEqual(decision.addresses, model.decide(asked), "as the model decides");
  if (isAllowed && "unreadable" in asked.requested) assert.deepEqual(decision.addresses, before);
  if (isAllowed && isMet) {
    const kept = decision.addresses.slice(0, before.length);
    assert.deepEqual(kept, before, "never changed while allowed");
    assert.equal(decision.cleared, null);
  }
  for (const address of decision.addresses) {
    const isNew = !before.includes(address);
    assert.ok(!isNew || !reserved.now.has(address), `${address} is reserved`);
  }
  const lost = before.filter((address) => !decision.addresses.includes(address));
  if (lost.length > 0) assert.deepEqual(decision.cleared?.addresses, before, "told what is gone");
  statuses.set(key, decision.addresses);
  const again = allocator.decide(requestOf(cluster, key));
  assert.deepEqual(again.addresses, decision.addresses, "idempotent");
  assert.equal(again.cleared, null);
}

/** Every two Services on one address agree to share it, and have ports of their own. */
function checkSharing(model: ModelAllocator): void {
  for (const { request: one, addresses } of model.held.values()) {
    for (const address of addresses) {
      for (const other of model.othersOn(address, one.key)) {
        assert.notEqual(one.sharingKey, "", "no address twice without a key");
        assert.equal(one.sharingKey, other.sharingKey);
        assert.equal(one.backend, other.backend);
        assert.ok(!one.ports.some((port) => other.ports.includes(port)));
      }
    }
  }
}

/** All addresses of a Service are of one pool that there is. */
function checkPools({ pools, statuses }: Cluster): void {
  const isIn = ({ ranges }: AllocatablePool, address: Ip): boolean =>
    ranges.some(
      ({ family, start, end }) =>
        family === ipFamily(address) && start <= ipToBigInt(address) && ipToBigInt(address) <= end,
    );
  for (const [key, addresses] of statuses) {
    const holds = (one: AllocatablePool) => addresses.every((address) => isIn(one, address));
    assert.ok(addresses.length === 0 || pools.now.some(holds), `${key} has ${addresses}`);
  }
}

function checkRules(model: ModelAllocator, cluster: Cluster): void {
  const { allocator, statuses } = cluster;
  checkSharing(model);
  checkPools(cluster);
  for (const [key, addresses] of statuses) {
    for (const address of addresses) assert.ok(allocator.ownersOf(address).includes(key));
  }
  assert.deepEqual(allocator.usage(), model.usage());
}

const requestedLists = fc.oneof(
  { weight: 4, arbitrary: fc.constant<readonly string[]>([]) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ["10.0.0.0"],
      ["10.0.0.3"],
      ["10.0.0.5"],
      ["10.1.0.255"],
      ["2001:db8::1"],
      ["10.9.9.9"],
    ),
  },
  { weight: 1, arbitrary: fc.constant(["2001:db8::1", "10.1.1.1"]) },
  { weight: 1, arbitrary: fc.constant({ unreadable: "found nonsense" }) },
);

function withoutUndefined<T extends object>(ask: T): RequestOptions {
  return Object.fromEntries(Object.entries(ask).filter(([, value]) => value !== undefined));
}

const asks: fc.Arbitrary<RequestOptions> = fc
  .record(
    {
      families: fc.constantFrom<ServiceRequest["families"][]>([4], [6], [4, 6], [6, 4]),
      familyPolicy: fc.constantFrom<ServiceRequest["familyPolicy"][]>(
        "PreferDualStack",
        "PreferDualStack",
        "RequireDualStack",
        "SingleStack",
      ),
      requested: requestedLists,
      share: fc.constantFrom("", "", "dns", "web"),
      backend: fc.constantFrom("", "", "app=a"),
      ports: fc.subarray(["TCP/80", "TCP/443", "UDP/53"], { minLength: 1 }),
      labels: fc.constantFrom({}, { tier: "edge" }),
      pool: fc.option(fc.constantFrom("a", "b", "dual", "gone"), { nil: undefined, freq: 4 }),
    },
    { requiredKeys: [] },
  )
  .map(withoutUndefined);

const commands = fc.commands<ModelAllocator, Cluster>(
  [
    fc.tuple(fc.constantFrom(...KEYS), asks).map(([key, ask]) => new Decide(key, ask)),
    fc.constantFrom(...KEYS).map((key) => new Release(key)),
    fc
      .tuple(fc.nat(CONFIGS.length - 1), fc.nat(RESERVED.length - 1))
      .map(([config, reserved]) => new Configure(config, reserved)),
  ],
  { maxCommands: 60 },
);

test("Allocator decides as a plain model does, whatever comes", () => {
  fc.assert(
    fc.property(commands, (list) => {
      const setup = () => ({
        model: new ModelAllocator(),
        real: {
          allocator: new Allocator(),
          pools: { now: [] as readonly AllocatablePool[] },
          reserved: { now: new Set<Ip>() },
          asks: new Map<string, RequestOptions>(),
          statuses: new Map<string, readonly Ip[]>(),
        },
      });
      fc.modelRun(setup, list);
    }),
    { numRuns: 600 },
  );
});

test("Allocator of a new leader keeps what every status says, in whatever order it reads", () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(KEYS, { minLength: KEYS.length }),
      fc.uniqueArray(fc.nat(7), { minLength: KEYS.length, maxLength: KEYS.length }),
      fc.array(requestedLists, { minLength: KEYS.length, maxLength: KEYS.length }),
      (order, offsets, wishes) => {
        const allocator = new Allocator();
        allocator.configure(CONFIGS[1] ?? [], new Map());
        const requests = order.map((key, i) => {
          const current = [`10.0.0.${offsets[i]}`];
          return request(key, { current, requested: wishes[i] ?? [] });
        });
        allocator.adoptAll(requests);
        for (const one of requests) {
          const decision = allocator.decide(one);
          if ("unreadable" in one.requested || one.requested.length === 0) {
            assert.deepEqual(decision.addresses, one.current);
          }
        }
      },
    ),
  );
});
