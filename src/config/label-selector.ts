// Kubernetes LabelSelector (meta/v1): schema, and whether it matches a set of labels.

import { z } from "zod";

/** A qualified name: a DNS subdomain and a slash, or neither, before 63 characters. */
const KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[a-z0-9]([-\w.]{0,61}[a-z0-9])?$/i;
const VALUE = /^([a-z0-9]([-\w.]{0,61}[a-z0-9])?)?$/i;

const key = z.string().regex(KEY, { error: "the key of a label" });
const value = z.string().regex(VALUE, { error: "the value of a label" });

const expressionSchema = z
  .strictObject({
    key,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
    values: z
      .array(value)
      .refine((values) => new Set(values).size === values.length, { error: "no value twice" })
      .default([]),
  })
  .refine((e) => (e.operator === "In" || e.operator === "NotIn") === e.values.length > 0, {
    error: "values with In and NotIn, and none with Exists and DoesNotExist",
  });

export const labelSelectorSchema = z.strictObject({
  matchLabels: z.record(key, value).default({}),
  matchExpressions: z.array(expressionSchema).default([]),
});

/** All of its requirements must hold; one without requirements matches everything. */
export type LabelSelector = z.infer<typeof labelSelectorSchema>;
export type Labels = Readonly<Record<string, string>>;

export function selectorMatches(selector: LabelSelector, labels: Labels): boolean {
  for (const [key, value] of Object.entries(selector.matchLabels)) {
    if (labelOf(labels, key) !== value) return false;
  }
  return selector.matchExpressions.every((expression) => {
    const value = labelOf(labels, expression.key);
    switch (expression.operator) {
      case "In":
        return value !== undefined && expression.values.includes(value);
      case "NotIn":
        return value === undefined || !expression.values.includes(value);
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
    }
    return false;
  });
}

/** "constructor" is a good name for a label, and no label of an object without it. */
function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** True when any selector of the list matches: MetalLB's lists of selectors are OR-ed. */
export function anySelectorMatches(selectors: readonly LabelSelector[], labels: Labels): boolean {
  return selectors.some((selector) => selectorMatches(selector, labels));
}
