// Lists all objects of a resource in pages. Consistent: every page belongs to the resourceVersion
// of the first one. When the server forgets that version meanwhile, the list starts over.

import type { ApiRequests } from "./client.ts";
import { decodeList } from "./decode.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export interface Resource {
  /** Such as `/api/v1/services`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** For logs and metrics. */
  readonly name: string;
}

export interface ListOptions<T> {
  /** null leaves an item out. */
  readonly decode: (raw: unknown) => T | null;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly pageSize?: number;
  /** After each page that arrived. */
  readonly onPage?: () => void;
}

export interface Listed<T> {
  readonly items: T[];
  readonly resourceVersion: string;
  /** How many items `decode` refused. */
  readonly skipped: number;
}

const PAGE_SIZE = 500;
/** Objects of a megabyte each come singly at last. */
const PAGE_SHRINK = 8;
/** A list that expires again and again is left to the caller's backoff. */
const RESTARTS_MAX = 2;
/** The first page of a large resource may take the server its time. */
const PAGE_TIMEOUT_MS = 15_000;

export async function listAll<T>(
  client: ApiRequests,
  resource: Resource,
  options: ListOptions<T>,
): Promise<Outcome<Listed<T>>> {
  let limit = options.pageSize ?? PAGE_SIZE;
  let restarts = 0;
  let page = "";
  let skipped = 0;
  let items: T[] = [];
  for (;;) {
    const answer = await client.request({
      method: "GET",
      path: resource.path,
      query: {
        limit,
        labelSelector: resource.labelSelector,
        fieldSelector: resource.fieldSelector,
        continue: page === "" ? undefined : page,
      },
      timeoutMs: options.timeoutMs ?? PAGE_TIMEOUT_MS,
      signal: options.signal,
    });
    if (!answer.ok) {
      const { kind } = answer.failure;
      if (kind === "too-large" && limit > 1) {
        // The continue token stays good for a smaller page.
        limit = Math.max(1, Math.floor(limit / PAGE_SHRINK));
        continue;
      }
      if (kind !== "gone" || page === "" || restarts >= RESTARTS_MAX) return answer;
      restarts++;
      page = "";
      skipped = 0;
      items = [];
      continue;
    }
    options.onPage?.();
    const list = decodeList(answer.value);
    for (const raw of list.items) {
      const item = options.decode(raw);
      if (item === null) skipped++;
      else items.push(item);
    }
    if (list.continue !== "") {
      page = list.continue;
      continue;
    }
    if (list.resourceVersion === "") {
      const message = `Cannot list ${resource.name}: the answer has no resourceVersion`;
      return failed("not-json", message);
    }
    return success({ items, resourceVersion: list.resourceVersion, skipped });
  }
}
