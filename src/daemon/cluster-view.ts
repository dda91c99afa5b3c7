// The cluster as this node sees it: Services, Nodes, pools and advertisements from the reflectors,
// and what follows from them: the configuration, and the VIPs. Changes are gathered and told once.

import type { ClusterConfig, ConfigProblem, Pool } from "../config/cluster-config.ts";
import { EMPTY_CLUSTER_CONFIG } from "../config/cluster-config.ts";
import type { Ip } from "../core/address.ts";
import { RangeIndex } from "../core/range-index.ts";
import type {
  EndpointSlice,
  KubernetesObject,
  Node,
  RawObject,
  Service,
} from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ReflectorSink } from "../k8s-sync/reflector.ts";
import type { Placement, Serving, VipSpec } from "../ownership/types.ts";
import type { ConfigKind, ConfigObjects } from "./config-objects.ts";
import {
  CONFIG_KINDS,
  dependsOnNodes,
  isNeeded,
  noConfigObjects,
  parseConfigObjects,
  saysTheSame,
} from "./config-objects.ts";
import { Endpoints } from "./endpoints.ts";
import type { Advertised, ExclusionOptions } from "./placements.ts";
import { exclusion, healthProblem, Placements } from "./placements.ts";
import { rankByOf } from "./rank-by.ts";
import { currentAddresses, isOurs } from "./service-request.ts";

export interface ClusterChange {
  /** Services that changed or went, by key. */
  readonly services: ReadonlySet<string>;
  readonly config: boolean;
  readonly nodes: boolean;
}

export interface ClusterViewOptions extends ExclusionOptions {
  /** Which Services are lbd's: see isOurs(). */
  readonly loadBalancerClass?: string | undefined;
  /** What changed since the last call; only once everything was listed for the first time. */
  readonly onChange: (change: ClusterChange) => void;
  /** Runs a function soon, outside of the present call. */
  readonly defer: (run: () => void) => void;
  /** The configuration that was valid last, in another life of the daemon; null: there is none. */
  readonly lastValid?: () => Pick<ClusterMemory, "config"> | null;
}

const NOTHING_SEEN = { ok: false, problems: [] } as const;
const KINDS = ["service", "node", "endpoints", ...CONFIG_KINDS] as const;
type Kind = (typeof KINDS)[number];

/** What was known of the cluster when it was last seen, by key. */
export interface ClusterMemory {
  readonly services: ReadonlyMap<string, Service>;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly config: ConfigObjects;
}

export class ClusterView {
  readonly services = new Map<string, Service>();
  readonly nodes = new Map<string, Node>();
  /** As they are in the cluster now, valid or not. */
  readonly configObjects = noConfigObjects();
  /** Objects that were taken in, and times that the configuration was refused. */
  readonly counts = { updates: 0, refusals: 0 };
  readonly #options: ClusterViewOptions;
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #endpoints = new Endpoints();
  /** False: nothing is known of them, and nobody is excluded for that. */
  #hasEndpoints = false;
  readonly #synced = new Set<Kind>();
  /** Of those: what could not be read, and is gone without. */
  readonly #skipped = new Set<Kind>();
  readonly #servicesOf = new Map<Ip, Set<string>>();
  readonly #nodeDigests = new Map<string, string>();
  readonly #addressesOf = new Map<string, readonly Ip[]>();
  #config: ClusterConfig = EMPTY_CLUSTER_CONFIG;
  #configProblems: readonly ConfigProblem[] = [];
  #isConfigCurrent = false;
  #poolIndex = new RangeIndex<Pool>([]);
  #placements: Placements;
  #dirtyAddresses = new Set<Ip>();
  #dirtyServices = new Set<string>();
  #dirty = { config: false, nodes: false };
  #isScheduled = false;
  #isConfigured = false;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
    this.#placements = new Placements(this.#config, this.nodes, options);
  }

  isOurs(service: Service): boolean {
    return isOurs(service, this.#options.loadBalancerClass);
  }

  /** Why a node may own nothing at all, or null. */
  exclusion(node: Node): string | null {
    return exclusion(node, this.#options);
  }

  /** The last configuration that was valid as a whole. */
  get config(): ClusterConfig {
    return this.#config;
  }

  /** What is wrong with the configuration in the cluster now; empty when it is in use. */
  get configProblems(): readonly ConfigProblem[] {
    return this.#configProblems;
  }

  /** Whether what the cluster has now is in use; else what was valid last is. */
  get isConfigCurrent(): boolean {
    return this.#isConfigCurrent;
  }

  /** Everything was listed, and the configuration was valid once: before, nothing follows. */
  get isSynced(): boolean {
    return this.isListed && this.#isConfigured;
  }

  /** Everything was listed, or is gone without. */
  get isListed(): boolean {
    return this.#synced.size === KINDS.length;
  }

  serviceSink(): ReflectorSink<Service> {
    return this.#sink("service", this.services, (key) => this.#onService(key));
  }

  nodeSink(): ReflectorSink<Node> {
    // Kubelets write their Node often; most of it changes nothing here.
    return this.#sink("node", this.nodes, (name) => {
      const node = this.nodes.get(name);
      const health = node && healthProblem(node);
      const about = [node?.metadata.labels, health, node?.addresses, node?.unschedulable];
      const digest = JSON.stringify(about);
      if (this.#nodeDigests.get(name) === digest) return;
      if (node === undefined) this.#nodeDigests.delete(name);
      else this.#nodeDigests.set(name, digest);
      this.#dirty.nodes = true;
    });
  }

  configSink(kind: ConfigKind): ReflectorSink<RawObject> {
    const objects = this.configObjects[kind];
    return this.#sink(kind, objects, (key, before) => {
      if (!saysTheSame(before, objects.get(key))) this.#dirty.config = true;
    });
  }

  endpointSliceSink(): ReflectorSink<EndpointSlice> {
    return this.#sink("endpoints", this.#slices, (key, before) => this.#onSlice(key, before));
  }

  /** They cannot be read: the rest is worked with. */
  skipEndpoints(): void {
    this.#skip("endpoints");
  }

  /** The API has no such resource, or does not show it: unless nothing goes without, so be it. */
  skipConfig(kind: ConfigKind): void {
    if (isNeeded(kind) || this.#synced.has(kind)) return;
    this.#dirty.config = true;
    this.#skip(kind);
  }

  #skip(kind: Kind): void {
    if (this.#synced.has(kind)) return;
    this.#synced.add(kind);
    this.#skipped.add(kind);
    this.#schedule();
  }

  /** Takes what is not listed yet from memory; a list replaces it. */
  restore(memory: ClusterMemory): void {
    if (!this.#synced.has("service")) this.serviceSink().replace([...memory.services.values()]);
    if (!this.#synced.has("node")) this.nodeSink().replace([...memory.nodes.values()]);
    for (const kind of CONFIG_KINDS) {
      if (!this.#synced.has(kind)) this.configSink(kind).replace([...memory.config[kind].values()]);
    }
    this.skipEndpoints();
  }

  /** What this node would see if the cluster were as it is remembered. */
  as(memory: ClusterMemory): ClusterView {
    const alone = { onChange: () => {}, defer: (run: () => void) => run() };
    const view = new ClusterView({ ...this.#options, ...alone });
    view.restore(memory);
    return view;
  }

  poolOf(address: Ip): Pool | null {
    return this.#poolIndex.find(address);
  }

  /** Where any Service could be announced that has an address of the pool. */
  placementOfPool(pool: string): Placement | undefined {
    return this.#placements.ofAnyService(pool);
  }

  placementOf(address: Ip): Placement | undefined {
    const pool = this.poolOf(address)?.name ?? "";
    return this.#placements.of(pool, this.#servicesAt(address));
  }

  advertised(address: Ip): Advertised {
    const pool = this.poolOf(address)?.name ?? "";
    return this.#placements.advertised(pool, this.#servicesAt(address));
  }

  /** The Services that have the address, sorted. */
  servicesOf(address: Ip): string[] {
    return [...(this.#servicesOf.get(address) ?? [])].sort();
  }

  addresses(): Ip[] {
    return [...this.#servicesOf.keys()];
  }

  /** VIPs that changed since the last call. */
  takeVips(): { changed: VipSpec[]; freed: Ip[] } {
    const changed: VipSpec[] = [];
    const freed: Ip[] = [];
    for (const address of this.#dirtyAddresses) {
      const spec = this.#vipSpec(address);
      if (spec === null) freed.push(address);
      else changed.push(spec);
    }
    this.#dirtyAddresses = new Set();
    return { changed, freed };
  }

  #vipSpec(address: Ip): VipSpec | null {
    if (!this.#servicesOf.has(address)) return null;
    const placement = this.placementOf(address);
    const serving = this.#serving(address);
    if (placement === undefined) return null;
    return { address, rankBy: this.rankedBy(address), placement, serving };
  }

  rankedBy(address: Ip): Ip {
    const addressesOf = (one: Service) => this.#addressesOf.get(objectKey(one)) ?? [];
    return rankByOf(address, this.#servicesAt(address), addressesOf);
  }

  #serving(address: Ip): Serving {
    return this.servingOf(this.#servicesAt(address));
  }

  /** Where these Services can be served, should they share an address. */
  servingOf(services: readonly Service[]): Serving {
    return this.#hasEndpoints ? this.#endpoints.serving(services) : "everywhere";
  }

  /** Where addresses could be announced with another configuration. */
  placementsWith(config: ClusterConfig): Placements {
    return new Placements(config, this.nodes, this.#options);
  }

  #servicesAt(address: Ip): Service[] {
    return this.servicesOf(address).flatMap((key) => this.services.get(key) ?? []);
  }

  #onSlice(key: string, before: EndpointSlice | undefined): void {
    const slice = this.#slices.get(key);
    const touched = new Set<string | null>();
    // It may have been given to another Service.
    if (before !== undefined && (slice === undefined || !Endpoints.areOfOne(before, slice))) {
      if (this.#endpoints.remove(before)) touched.add(Endpoints.serviceOf(before));
    }
    if (slice !== undefined && this.#endpoints.set(slice)) touched.add(Endpoints.serviceOf(slice));
    for (const service of touched) {
      for (const address of this.#addressesOf.get(service ?? "") ?? []) {
        this.#dirtyAddresses.add(address);
      }
    }
  }

  #sink<T extends KubernetesObject>(
    kind: Kind,
    objects: Map<string, T>,
    touched: (key: string, before: T | undefined) => void,
  ): ReflectorSink<T> {
    return {
      replace: (all) => {
        const before = new Map(objects);
        objects.clear();
        for (const object of all) objects.set(objectKey(object), object);
        this.counts.updates += all.length;
        for (const key of new Set([...before.keys(), ...objects.keys()])) {
          touched(key, before.get(key));
        }
        this.#listed(kind);
      },
      upsert: (object) => {
        const key = objectKey(object);
        const before = objects.get(key);
        objects.set(key, object);
        this.counts.updates += 1;
        touched(key, before);
        this.#schedule();
      },
      remove: (object) => {
        const key = objectKey(object);
        const before = objects.get(key);
        objects.delete(key);
        this.counts.updates += 1;
        touched(key, before);
        this.#schedule();
      },
    };
  }

  #listed(kind: Kind): void {
    if (kind === "endpoints" && !this.#hasEndpoints) {
      this.#hasEndpoints = true;
      for (const address of this.#servicesOf.keys()) this.#dirtyAddresses.add(address);
    }
    this.#synced.add(kind);
    this.#skipped.delete(kind);
    if (isConfigKind(kind)) this.#dirty.config = true;
    this.#schedule();
  }

  #onService(key: string): void {
    this.#dirtyServices.add(key);
    for (const address of this.#addressesOf.get(key) ?? []) {
      const keys = this.#servicesOf.get(address);
      keys?.delete(key);
      if (keys?.size === 0) this.#servicesOf.delete(address);
      this.#dirtyAddresses.add(address);
    }
    this.#addressesOf.delete(key);
    const service = this.services.get(key);
    if (service === undefined || !this.isOurs(service)) return;
    if (service.spec.type !== "LoadBalancer") return;
    const addresses = currentAddresses(service);
    this.#addressesOf.set(key, addresses);
    for (const address of addresses) {
      const keys = this.#servicesOf.get(address) ?? new Set();
      this.#servicesOf.set(address, keys.add(key));
      this.#dirtyAddresses.add(address);
    }
  }

  #schedule(): void {
    if (this.#isScheduled || !this.isListed) return;
    this.#isScheduled = true;
    this.#options.defer(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const { nodes } = this.#dirty;
    const config = this.#dirty.config || (nodes && dependsOnNodes(this.configObjects));
    if (config) this.#readConfig();
    // Without a configuration no address is allowed: all would be taken from their Services.
    if (!this.#isConfigured) return;
    const isQuiet = this.#dirtyServices.size + this.#dirtyAddresses.size === 0;
    if (!config && !nodes && isQuiet) return;
    if (config || nodes) {
      this.#placements = new Placements(this.#config, this.nodes, this.#options);
      for (const address of this.#servicesOf.keys()) this.#dirtyAddresses.add(address);
    }
    const services = this.#dirtyServices;
    this.#dirty = { config: false, nodes: false };
    this.#dirtyServices = new Set();
    this.#options.onChange({ services, config, nodes });
  }

  /** All or nothing: an invalid change keeps what was valid. */
  #readConfig(): void {
    const nodes = [...this.nodes.values()].map(({ metadata }) => metadata.labels);
    // Perhaps all pools are in a ConfigMap that may not be read: that is not the same as none.
    const isBlind = this.#skipped.has("config-map") && this.configObjects.pool.size === 0;
    const parsed = isBlind ? NOTHING_SEEN : parseConfigObjects(this.configObjects, nodes);
    this.#isConfigCurrent = parsed.ok;
    this.#configProblems = parsed.ok ? [] : parsed.problems;
    if (parsed.ok) return this.#setConfig(parsed.value);
    this.counts.refusals += 1;
    // A daemon that is started anew meanwhile works from what it worked from before.
    const last = this.#isConfigured ? null : (this.#options.lastValid?.() ?? null);
    const remembered = last === null ? parsed : parseConfigObjects(last.config, nodes);
    if (remembered.ok) this.#setConfig(remembered.value);
  }

  #setConfig(config: ClusterConfig): void {
    this.#isConfigured = true;
    this.#config = config;
    this.#poolIndex = new RangeIndex(config.pools);
  }
}

function isConfigKind(kind: Kind): kind is ConfigKind {
  return CONFIG_KINDS.some((one) => one === kind);
}
