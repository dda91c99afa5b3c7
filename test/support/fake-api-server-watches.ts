// The open watches of the fake API server: history first, then what happens, bookmarks in between,
// and every way in which a watch can end.

import type { ServerResponse } from "node:http";
import { statusObject } from "./fake-api-server-faults.ts";
import { kindOf, matchesSelectors, type Route } from "./fake-api-server-routes.ts";
import type { FakeStore, StoreEvent } from "./fake-api-server-store.ts";

/** In order; by a broken connection; by one in the middle of an event; by a 410 ERROR event. */
export type WatchEnd = "end" | "cut" | "half-line" | "gone";

interface OpenWatch {
  readonly response: ServerResponse;
  readonly route: Route;
  readonly query: URLSearchParams;
  /** Sent up to here. */
  version: number;
}

export class FakeWatches {
  readonly #store: FakeStore;
  readonly #bookmarkMs: number;
  readonly #open = new Set<OpenWatch>();
  #paused = false;

  constructor(store: FakeStore, options: { bookmarkMs: number }) {
    this.#store = store;
    this.#bookmarkMs = options.bookmarkMs;
    store.subscribe((event) => {
      if (!this.#paused) for (const watch of this.#open) send(watch, event);
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** While true nothing is sent; afterwards all that happened meanwhile. */
  set paused(paused: boolean) {
    const catchUp = this.#paused && !paused;
    this.#paused = paused;
    if (!catchUp) return;
    for (const watch of this.#open) {
      for (const event of this.#store.since(watch.version)) send(watch, event);
    }
  }

  open(route: Route, query: URLSearchParams, response: ServerResponse): void {
    const version = Number(query.get("resourceVersion") || this.#store.version);
    // The client may have left while the server was frozen.
    if (response.destroyed) return;
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (version < this.#store.compacted) {
      endGone(response);
      return;
    }
    const watch: OpenWatch = { response, route, query, version };
    this.#open.add(watch);
    for (const event of this.#store.since(version)) send(watch, event);
    const seconds = Number(query.get("timeoutSeconds") ?? 3600);
    const end = setTimeout(() => response.end(), seconds * 1000);
    const bookmarks = setInterval(() => this.#bookmark(watch), this.#bookmarkMs);
    response.on("close", () => {
      clearTimeout(end);
      clearInterval(bookmarks);
      this.#open.delete(watch);
    });
  }

  bookmark(): void {
    for (const watch of this.#open) this.#bookmark(watch);
  }

  endAll(end: WatchEnd): void {
    for (const { response } of this.#open) {
      if (end === "end") response.end();
      else if (end === "gone") endGone(response);
      else if (end === "cut") response.socket?.destroy();
      else response.write('{"type":"ADDED","obj', () => response.socket?.destroy());
    }
    this.#open.clear();
  }

  #bookmark(watch: OpenWatch): void {
    if (this.#paused || watch.query.get("allowWatchBookmarks") !== "true") return;
    const { apiVersion, resource } = watch.route;
    const metadata = { resourceVersion: String(this.#store.version), creationTimestamp: null };
    watch.version = this.#store.version;
    write(watch, { type: "BOOKMARK", object: { kind: kindOf(resource), apiVersion, metadata } });
  }
}

function send(watch: OpenWatch, event: StoreEvent): void {
  if (event.version <= watch.version) return;
  watch.version = event.version;
  const { collection, namespace } = watch.route.ref;
  if (event.ref.collection !== collection) return;
  if (namespace !== "" && event.ref.namespace !== namespace) return;
  if (!matchesSelectors(event.object, watch.query)) return;
  write(watch, { type: event.type, object: event.object });
}

function write(watch: OpenWatch, event: unknown): void {
  watch.response.write(`${JSON.stringify(event)}\n`);
}

function endGone(response: ServerResponse): void {
  const message = "too old resource version: 1 (1000)";
  const object = statusObject({ status: 410, reason: "Expired", message });
  response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
}
