// The configuration's objects as they would be once manifests are applied: those of the same kind
// and name are replaced, the rest stays. Pure.

import { isDeepStrictEqual } from "node:util";
import type { PlannedObjectView } from "../api/plan-view.ts";
import type { Manifest } from "../config/manifests.ts";
import { objectText } from "../config/resource.ts";
import { decodeObject } from "../k8s-sync/decode.ts";
import type { RawObject } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";
import type { ConfigKind, ConfigObjects, ConfigPlaces } from "./config-objects.ts";
import { CONFIG_KINDS, configKindOf, KIND_NAMES, noConfigObjects } from "./config-objects.ts";

export interface ChangedObjects {
  readonly objects: ConfigObjects;
  readonly changes: readonly PlannedObjectView[];
  readonly notices: readonly string[];
}

export interface ObjectsNow extends ConfigPlaces {
  readonly objects: ConfigObjects;
  /** The manifests are all there is. */
  readonly replace: boolean;
}

/** What is not lbd's to read is left out, and told of. */
export function changedObjects(manifests: readonly Manifest[], now: ObjectsNow): ChangedObjects {
  const notices: string[] = [];
  const then = noConfigObjects();
  if (!now.replace) {
    for (const kind of CONFIG_KINDS) then[kind] = new Map(now.objects[kind]);
  }
  const given = new Set<string>();
  for (const manifest of manifests) {
    const placed = placeOf(manifest, now, notices);
    const object = placed === null ? null : decodeObject(placed.raw);
    if (placed === null || object === null) continue;
    const id = `${placed.kind} ${objectKey(object)}`;
    if (given.has(id)) notices.push(`${textOf(manifest)} is there twice: the last one counts`);
    given.add(id);
    then[placed.kind].set(objectKey(object), object);
  }
  return { objects: then, changes: changesBetween(now.objects, then, given), notices };
}

interface Placed {
  readonly kind: ConfigKind;
  readonly raw: object;
}

/** Null: lbd does not read it. */
function placeOf(manifest: Manifest, places: ConfigPlaces, notices: string[]): Placed | null {
  const kind = configKindOf(manifest);
  if (kind === null) {
    notices.push(`${textOf(manifest)} is no part of the configuration: it is left out`);
    return null;
  }
  const [legacyNamespace = "", legacyName] = places.legacyConfigMap.split("/");
  const home = kind === "config-map" ? legacyNamespace : places.namespace;
  const namespace = manifest.namespace === "" ? home : manifest.namespace;
  const isElsewhere = namespace !== home || (kind === "config-map" && manifest.name !== legacyName);
  if (isElsewhere) {
    const where = kind === "config-map" ? places.legacyConfigMap : `namespace "${home}"`;
    notices.push(`${textOf(manifest)} is not read by lbd, which reads ${where}: it is left out`);
    return null;
  }
  if (manifest.namespace === "") {
    notices.push(`${textOf(manifest)} names no namespace: apply it with "-n ${home}"`);
  }
  const metadata = { ...(manifest.raw.metadata as object), namespace };
  return { kind, raw: { ...manifest.raw, metadata } };
}

function changesBetween(
  before: ConfigObjects,
  after: ConfigObjects,
  given: ReadonlySet<string>,
): PlannedObjectView[] {
  return CONFIG_KINDS.flatMap((kind) => {
    const keys = [...new Set([...before[kind].keys(), ...after[kind].keys()])].sort();
    return keys.flatMap((key): PlannedObjectView[] => {
      const [old, fresh] = [before[kind].get(key), after[kind].get(key)];
      const named = fresh ?? old;
      if (named === undefined) return [];
      const object = objectText({ ...named.metadata, kind: KIND_NAMES[kind] });
      if (old === undefined) return [{ object, change: "new" }];
      if (fresh === undefined) return [{ object, change: "removed" }];
      if (!given.has(`${kind} ${key}`)) return [];
      return [{ object, change: saysTheSame(old, fresh) ? "unchanged" : "changed" }];
    });
  });
}

/** Labels count: advertisements select pools by them. */
function saysTheSame(a: RawObject, b: RawObject): boolean {
  const said = ({ metadata, spec, data }: RawObject) => [metadata.labels, spec, data];
  return isDeepStrictEqual(said(a), said(b));
}

function textOf({ kind, namespace, name }: Manifest): string {
  return objectText({ kind, namespace, name });
}
