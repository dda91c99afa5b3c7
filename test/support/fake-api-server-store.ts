// The memory of the fake API server: objects by resource with resourceVersions, and their history
// for watches. Knows merge patches, preconditions and compaction; validates nothing.

import { randomUUID } from "node:crypto";

export type JsonObject = { [key: string]: unknown };

export interface StoredObject extends JsonObject {
  metadata: JsonObject & { name: string; namespace?: string; resourceVersion?: string };
}

/** Where an object stands: `collection` is API version and resource, `v1/services`. */
export interface ObjectRef {
  readonly collection: string;
  readonly namespace: string;
  readonly name: string;
}

export interface StoreEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly ref: ObjectRef;
  readonly object: StoredObject;
}

/** What the API server answers with an error Status. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export class FakeStore {
  #version = 1000;
  #compacted = 0;
  readonly #objects = new Map<string, { ref: ObjectRef; object: StoredObject }>();
  #history: StoreEvent[] = [];
  readonly #listeners = new Set<(event: StoreEvent) => void>();

  get version(): number {
    return this.#version;
  }

  /** Watches from before this version are refused. */
  get compacted(): number {
    return this.#compacted;
  }

  /** Forgets the history, as etcd does when it is compacted. */
  compact(): void {
    // A version that nobody has seen, so that every watch of before is too old.
    this.#compacted = ++this.#version;
    this.#history = [];
  }

  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  since(version: number): readonly StoreEvent[] {
    return this.#history.filter((event) => event.version > version);
  }

  list(collection: string, namespace: string): StoredObject[] {
    const found = [...this.#objects.values()].filter(
      ({ ref }) => ref.collection === collection && (!namespace || ref.namespace === namespace),
    );
    const key = (ref: ObjectRef): string => `${ref.namespace}/${ref.name}`;
    found.sort((a, b) => (key(a.ref) < key(b.ref) ? -1 : 1));
    return found.map(({ object }) => object);
  }

  get(ref: ObjectRef): StoredObject {
    const found = this.#objects.get(keyOf(ref));
    if (found === undefined) throw notFound(ref);
    return found.object;
  }

  has(ref: ObjectRef): boolean {
    return this.#objects.has(keyOf(ref));
  }

  create(ref: ObjectRef, object: JsonObject): StoredObject {
    if (this.has(ref)) {
      throw new StatusError(409, "AlreadyExists", `${what(ref)} already exists`);
    }
    const metadata = {
      ...(object.metadata as JsonObject),
      name: ref.name,
      ...(ref.namespace === "" ? {} : { namespace: ref.namespace }),
      uid: randomUUID(),
      creationTimestamp: new Date().toISOString(),
    };
    return this.#write("ADDED", ref, { ...object, metadata });
  }

  /** Compare and swap when `object` has a resourceVersion or uid; nothing is written if equal. */
  replace(ref: ObjectRef, object: StoredObject): StoredObject {
    const current = this.get(ref);
    const { resourceVersion, uid } = object.metadata;
    this.#check(ref, current, { resourceVersion, uid });
    const { uid: sameUid, creationTimestamp } = current.metadata;
    const scope = ref.namespace === "" ? {} : { namespace: ref.namespace };
    const metadata = { ...object.metadata, ...scope, uid: sameUid, creationTimestamp };
    const next = { ...object, metadata };
    if (same(current, next)) return current;
    return this.#write("MODIFIED", ref, next);
  }

  delete(ref: ObjectRef, preconditions: JsonObject = {}): StoredObject {
    const current = this.get(ref);
    this.#check(ref, current, preconditions);
    this.#objects.delete(keyOf(ref));
    const version = ++this.#version;
    const metadata = { ...current.metadata, resourceVersion: String(version) };
    const object = { ...current, metadata };
    this.#publish({ version, type: "DELETED", ref, object });
    return object;
  }

  #check(ref: ObjectRef, current: StoredObject, wanted: JsonObject): void {
    for (const field of ["resourceVersion", "uid"]) {
      const value = wanted[field];
      if (!value || value === current.metadata[field]) continue;
      const text = "the object has been modified; please apply your changes to the latest version";
      throw new StatusError(
        409,
        "Conflict",
        `Operation cannot be fulfilled on ${what(ref)}: ${text}`,
      );
    }
  }

  #write(type: "ADDED" | "MODIFIED", ref: ObjectRef, object: StoredObject): StoredObject {
    const version = ++this.#version;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const stored = { ...object, metadata };
    this.#objects.set(keyOf(ref), { ref, object: stored });
    this.#publish({ version, type, ref, object: stored });
    return stored;
  }

  #publish(event: StoreEvent): void {
    this.#history.push(event);
    for (const listener of this.#listeners) listener(event);
  }
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: JsonObject = isObject ? { ...(target as JsonObject) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

function same(a: StoredObject, b: StoredObject): boolean {
  const plain = (object: StoredObject): string => {
    const { resourceVersion: _, ...metadata } = object.metadata;
    return stable({ ...object, metadata });
  };
  return plain(a) === plain(b);
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function notFound(ref: ObjectRef): StatusError {
  return new StatusError(404, "NotFound", `${what(ref)} not found`);
}

function what(ref: ObjectRef): string {
  const [resource = "", group = ""] = ref.collection.split("/").reverse();
  const suffix = group.includes(".") ? `.${group}` : "";
  return `${resource}${suffix} "${ref.name}"`;
}

function keyOf(ref: ObjectRef): string {
  return `${ref.collection}|${ref.namespace}|${ref.name}`;
}
