// What a status object should be, and the one write that brings it closer to that. Pure.

import { isDeepStrictEqual } from "node:util";
import type { Node, OwnedObject, OwnerReference } from "../k8s-sync/model.ts";

export interface WantedObject {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** It goes with this Node: there is no pod that it could belong to. */
  readonly owner: OwnerReference;
  readonly status: Readonly<Record<string, unknown>>;
  /** Fields of the status that the API server lets nobody change: it is made anew instead. */
  readonly immutable: readonly string[];
}

export type StatusWrite = "create" | "metadata" | "status" | "delete";

/** Null: it is as it should be, or on its way out. */
export function nextWrite(
  wanted: WantedObject | undefined,
  actual: OwnedObject | undefined,
): StatusWrite | null {
  if (actual === undefined) return wanted === undefined ? null : "create";
  // What has its name can be made once it is gone.
  if (actual.metadata.deletionTimestamp !== undefined) return null;
  if (wanted === undefined) return "delete";
  const has = statusOf(actual);
  const isOther = (field: string): boolean => !isDeepStrictEqual(has[field], wanted.status[field]);
  if (wanted.immutable.some((field) => has[field] !== undefined && isOther(field))) return "delete";
  if (!hasMetadata(actual, wanted)) return "metadata";
  return Object.keys(wanted.status).some(isOther) ? "status" : null;
}

/** The fields of its status; none where there is no status. */
export function statusOf({ status }: Pick<OwnedObject, "status">): Record<string, unknown> {
  return typeof status === "object" && status !== null ? { ...status } : {};
}

function hasMetadata(actual: OwnedObject, { labels, owner }: WantedObject): boolean {
  const has = actual.metadata.labels;
  const isLabelled = Object.entries(labels).every(([key, value]) => has[key] === value);
  return isLabelled && isDeepStrictEqual(actual.ownerReferences, [owner]);
}

export function ownerOf({ metadata: { name, uid } }: Node): OwnerReference {
  return { apiVersion: "v1", kind: "Node", name, uid };
}

const LABEL_LENGTH_MAX = 63;

/** The name of a Node may be longer than a label may be. */
export function labelValue(name: string): string {
  return name.slice(0, LABEL_LENGTH_MAX).replace(/[^A-Za-z0-9]+$/, "");
}
