// What the fake API server does for each verb but watch. Synchronous: one request at a time sees
// and changes the store, as with a real server's compare and swap.

import { kindOf, matchesSelectors, type Route } from "./fake-api-server-routes.ts";
import {
  type FakeStore,
  type JsonObject,
  mergePatch,
  StatusError,
  type StoredObject,
} from "./fake-api-server-store.ts";

export interface FakeRequest {
  readonly method: string;
  readonly route: Route;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Resources whose status is written only through the subresource. */
const WITH_STATUS = new Set(["services", "nodes"]);

export class FakeApiHandlers {
  readonly #store: FakeStore;
  /** The rest of a list by its continue token, all of one version. */
  readonly #pages = new Map<string, { rest: StoredObject[]; version: number }>();
  #pageCount = 0;

  constructor(store: FakeStore) {
    this.#store = store;
  }

  /** Answers every continue token given out so far with 410. */
  expirePages(): void {
    this.#pages.clear();
  }

  answer(request: FakeRequest): FakeAnswer {
    const { method, route } = request;
    if (method === "GET") {
      const body = route.single ? this.#store.get(route.ref) : this.#list(request);
      return { status: 200, body };
    }
    if (method === "POST") return { status: 201, body: this.#create(request) };
    if (method === "PUT") return { status: 200, body: this.#update(request) };
    if (method === "PATCH") return { status: 200, body: this.#patch(request) };
    if (method === "DELETE") return { status: 200, body: this.#delete(request) };
    throw new StatusError(405, "MethodNotAllowed", `${method} is not supported`);
  }

  put(route: Route, object: StoredObject): StoredObject {
    const typed = { apiVersion: route.apiVersion, kind: kindOf(route.resource), ...object };
    if (!this.#store.has(route.ref)) return this.#store.create(route.ref, typed);
    const { resourceVersion: _, ...metadata } = object.metadata;
    return this.#store.replace(route.ref, { ...typed, metadata } as StoredObject);
  }

  #list({ route, query }: FakeRequest): unknown {
    const token = query.get("continue");
    let page = token === null ? undefined : this.#pages.get(token);
    if (token !== null && page === undefined) {
      const message = "The provided continue parameter is too old to display a consistent list";
      throw new StatusError(410, "Expired", message);
    }
    page ??= {
      rest: this.#store
        .list(route.ref.collection, route.ref.namespace)
        .filter((object) => matchesSelectors(object, query)),
      version: this.#store.version,
    };
    const limit = Number(query.get("limit") ?? 0) || page.rest.length;
    const rest = page.rest.slice(limit);
    const metadata: JsonObject = { resourceVersion: String(page.version) };
    if (rest.length > 0) {
      metadata.continue = `page-${++this.#pageCount}`;
      metadata.remainingItemCount = rest.length;
      this.#pages.set(String(metadata.continue), { rest, version: page.version });
    }
    // Items of a list do not carry their type.
    const items = page.rest.slice(0, limit).map(({ apiVersion: _a, kind: _k, ...item }) => item);
    const kind = `${kindOf(route.resource)}List`;
    return { kind, apiVersion: route.apiVersion, metadata, items };
  }

  #create({ route, body }: FakeRequest): StoredObject {
    const object = objectIn(body);
    const ref = { ...route.ref, name: object.metadata.name };
    const typed = { apiVersion: route.apiVersion, kind: kindOf(route.resource), ...object };
    return this.#store.create(ref, typed);
  }

  #update({ route, body }: FakeRequest): StoredObject {
    const current = this.#store.get(route.ref);
    return this.#store.replace(route.ref, allowed(route, current, objectIn(body)));
  }

  #patch({ route, body }: FakeRequest): StoredObject {
    const current = this.#store.get(route.ref);
    const patched = mergePatch(current, body) as StoredObject;
    const wanted = (body as { metadata?: JsonObject }).metadata?.resourceVersion;
    const { resourceVersion: _, ...metadata } = patched.metadata;
    const version = wanted === undefined ? {} : { resourceVersion: String(wanted) };
    const next = { ...patched, metadata: { ...metadata, ...version } } as StoredObject;
    return this.#store.replace(route.ref, allowed(route, current, next));
  }

  #delete({ route, body }: FakeRequest): unknown {
    const options = (body ?? {}) as { preconditions?: JsonObject };
    this.#store.delete(route.ref, options.preconditions ?? {});
    return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success" };
  }
}

/** The part of a write that this path may change: everything but the status, or only the status. */
function allowed(route: Route, current: StoredObject, next: StoredObject): StoredObject {
  if (route.subresource === "status") {
    return { ...current, metadata: next.metadata, status: next.status };
  }
  if (!WITH_STATUS.has(route.resource)) return next;
  const { status: _, ...rest } = next;
  return current.status === undefined ? rest : { ...rest, status: current.status };
}

function objectIn(body: unknown): StoredObject {
  const object = body as StoredObject | null;
  if (typeof object?.metadata?.name === "string") return object;
  throw new StatusError(422, "Invalid", "metadata.name: Required value: name is required");
}
