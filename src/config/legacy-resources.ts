// From a file with MetalLB's old ConfigMap to resources that can be applied, or all problems.

import { isMap, parseAllDocuments } from "yaml";
import { noKey, parseLegacy } from "./config-sources.ts";
import type { ConvertedResource } from "./legacy-convert.ts";
import { convertLegacy, withKubernetesNames } from "./legacy-convert.ts";
import type { LegacySource } from "./legacy-text.ts";
import { legacyPrefix, legacyRef, parseLegacyText } from "./legacy-text.ts";
import type { ConfigProblem, ParsedConfig } from "./resource.ts";

export interface ConvertedConfig {
  readonly resources: readonly ConvertedResource[];
  /** What somebody has to know who applies them. */
  readonly notices: readonly string[];
}

const DEFAULT_NAMESPACE = "metallb-system";
const DEFAULT_NAME = "config";
/** RFC 1123 subdomain, as short as labels are. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;

/**
 * `text`: a ConfigMap as YAML or JSON, or the text of its key `config` alone. `namespace`: of the
 * resources, in place of the ConfigMap's.
 */
export function legacyResources(text: string, namespace?: string): ParsedConfig<ConvertedConfig> {
  const found = sourceOf(text);
  if (found.text === null) return { ok: false, problems: [noKey(found)] };
  const source = { ...found, text: found.text, namespace: namespace ?? found.namespace };
  const legacy = parseLegacyText(source);
  if (!legacy.ok) return legacy;
  const config = parseLegacy(source);
  if (!config.ok) return config;
  const converted = convertLegacy(legacy.value, source);
  const before = converted.map(({ resource }) => resource);
  const resources = withKubernetesNames(before);
  const problems = nameProblems(source, before, resources);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, value: { resources, notices: noticesOf(before, resources) } };
}

/** The first ConfigMap of several documents; without any, the text itself. */
function sourceOf(text: string): Omit<LegacySource, "text"> & { readonly text: string | null } {
  const documents = parseAllDocuments(text, { schema: "failsafe" });
  const all = Array.isArray(documents) ? documents : [];
  const document = all.find((one) => isMap(one.contents) && one.get("kind") === "ConfigMap");
  if (document === undefined) return { namespace: DEFAULT_NAMESPACE, name: DEFAULT_NAME, text };
  const read = (...path: readonly string[]): string | null => {
    const value = document.getIn(path);
    return typeof value === "string" && value !== "" ? value : null;
  };
  return {
    namespace: read("metadata", "namespace") ?? DEFAULT_NAMESPACE,
    name: read("metadata", "name") ?? DEFAULT_NAME,
    text: read("data", "config"),
  };
}

/** Names that become one, and names of which nothing is left. */
function nameProblems(
  source: LegacySource,
  before: readonly ConvertedResource[],
  after: readonly ConvertedResource[],
): ConfigProblem[] {
  const takenBy = new Map<string, string>();
  return after.flatMap(({ kind, metadata: { name } }, index) => {
    const old = before[index]?.metadata.name ?? "";
    const other = takenBy.get(`${kind} ${name}`);
    takenBy.set(`${kind} ${name}`, old);
    if (NAME.test(name) && other === undefined) return [];
    const found =
      other === undefined
        ? `the name "${old}", of which "${name}" is left`
        : `the names "${other}" and "${old}", which are both "${name}" in Kubernetes`;
    const expected = "names that differ in letters, digits and dashes";
    return [{ object: legacyRef(source), where: legacyPrefix(source), found, expected }];
  });
}

function noticesOf(
  before: readonly ConvertedResource[],
  after: readonly ConvertedResource[],
): string[] {
  const renamed = after.flatMap(({ kind, metadata: { name } }, index) => {
    const old = before[index]?.metadata.name;
    if (kind !== "IPAddressPool" || old === name) return [];
    return [`pool "${old}" becomes "${name}": change it in annotations of Services, too`];
  });
  const hasPassword = after.some(({ spec }) => "password" in spec);
  const secret = "passwords are printed as they are: a Secret (passwordSecret) keeps them better";
  return hasPassword ? [...renamed, secret] : renamed;
}
