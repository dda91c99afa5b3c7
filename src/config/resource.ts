// A resource as it was read from the cluster, how a place in it is named, and what is wrong there.

import type { z } from "zod";
import type { Problem } from "../core/problem.ts";
import type { Labels } from "./label-selector.ts";
import { problemAt, problemsOf } from "./zod-problems.ts";

/** A custom resource as the API gave it; `spec` is not yet trusted. */
export interface RawResource {
  readonly name: string;
  readonly labels: Labels;
  readonly spec: unknown;
  readonly namespace?: string;
  /** Empty or missing, as in the items of a list: the version that the kind is stored in. */
  readonly apiVersion?: string;
  /** Where it stands when it is no object of its own. */
  readonly origin?: Origin;
}

/** Which object somebody has to edit. */
export interface ObjectRef {
  readonly kind: string;
  /** Empty where the resource does not say. */
  readonly namespace: string;
  readonly name: string;
}

/** `where` begins with kind, namespace and name. */
export interface ConfigProblem extends Problem {
  readonly object: ObjectRef;
}

export type ParsedConfig<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Where something was written, for problems that show only beside other resources. */
export interface Origin {
  readonly object: ObjectRef;
  /** The place of a field, by its path in the custom resource's spec; "": the spec itself. */
  readonly at: (field: string) => string;
}

/** Something valid by itself, with its origin. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** A rule about several fields that was broken: the one to change, and what would be right. */
export interface Broken {
  readonly field: string;
  readonly expected: string;
}

export interface SpecRules<S extends z.ZodType> {
  readonly kind: string;
  readonly schema: S;
  /** Looks at a spec that may have fields of any type. */
  readonly rules?: (spec: Readonly<Record<string, unknown>>) => readonly Broken[];
}

/** `IPAddressPool "metallb-system/lan"`. */
export function objectText({ kind, namespace, name }: ObjectRef): string {
  return `${kind} "${namespace === "" ? name : `${namespace}/${name}`}"`;
}

export function refOf(kind: string, { namespace = "", name }: RawResource): ObjectRef {
  return { kind, namespace, name };
}

/** The spec of a resource, valid by itself, or null with all of its problems in `problems`. */
export function parseSpec<S extends z.ZodType>(
  raw: RawResource,
  { kind, schema, rules }: SpecRules<S>,
  problems: ConfigProblem[],
): Sourced<z.output<S>> | null {
  const origin = raw.origin ?? specOrigin(refOf(kind, raw));
  const input = raw.spec ?? {};
  const parsed = schema.safeParse(input);
  const broken = rules !== undefined && isFields(input) ? rules(input) : [];
  const found = [
    ...(parsed.success ? [] : problemsOf(parsed.error, input)),
    ...broken.map(({ field, expected }) => problemAt(input, [field], expected)),
  ];
  const { object, at } = origin;
  problems.push(...found.map((problem) => ({ ...problem, object, where: at(problem.where) })));
  if (!parsed.success || found.length > 0) return null;
  return { value: parsed.data, origin };
}

/** Of a custom resource, whose fields are all in its spec. */
export function specOrigin(object: ObjectRef): Origin {
  const prefix = `${objectText(object)} spec`;
  return { object, at: (field) => (field === "" ? prefix : `${prefix}.${field}`) };
}

/** A problem of something that is valid by itself. */
export function problemOf(
  { object, at }: Origin,
  field: string,
  { found, expected }: { readonly found: string; readonly expected: string },
): ConfigProblem {
  return { object, where: at(field), found, expected };
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
