// The configuration from wherever it is written: custom resources, MetalLB's old ConfigMap, or both
// of them when they say the same.

import type { ClusterConfig, RawConfig } from "./cluster-config.ts";
import { parseClusterConfig, rawConfigOf } from "./cluster-config.ts";
import { disagreements } from "./disagreements.ts";
import type { Labels } from "./label-selector.ts";
import type { Conversion } from "./legacy-convert.ts";
import { convertLegacy } from "./legacy-convert.ts";
import type { LegacySource } from "./legacy-text.ts";
import { legacyPrefix, legacyRef, parseLegacyText } from "./legacy-text.ts";
import type { ConfigProblem, ParsedConfig } from "./resource.ts";

export interface ConfigSources {
  readonly resources: RawConfig;
  /** Null: there is no such ConfigMap. `text` is null: it has no key `config`. */
  readonly legacy: (Omit<LegacySource, "text"> & { readonly text: string | null }) | null;
}

/** As `parseClusterConfig`, whatever the source. Both at once have to agree. */
export function parseConfigSources({
  resources,
  legacy,
}: ConfigSources): ParsedConfig<ClusterConfig> {
  const hasResources = Object.entries(resources).some(
    ([key, list]) => key !== "nodes" && list.length > 0,
  );
  if (legacy === null || legacy.text?.trim() === "") return parseClusterConfig(resources);
  const { text } = legacy;
  if (text === null) {
    // Beside resources it may be there for something else.
    return hasResources ? parseClusterConfig(resources) : { ok: false, problems: [noKey(legacy)] };
  }
  const source = { ...legacy, text };
  const old = parseLegacy(source, resources.nodes ?? []);
  if (!hasResources) return old;
  const present = parseClusterConfig(resources);
  if (!old.ok || !present.ok) {
    const problems = [present, old].flatMap((one) => (one.ok ? [] : one.problems));
    return { ok: false, problems };
  }
  const problems = disagreements({ present: present.value, old: old.value, source });
  return problems.length === 0 ? present : { ok: false, problems };
}

/** The configuration that a ConfigMap means, all pools of protocol layer2 announced everywhere. */
export function parseLegacy(
  source: LegacySource,
  nodes: readonly Labels[] = [],
): ParsedConfig<ClusterConfig> {
  const parsed = parseLegacyText(source);
  if (!parsed.ok) return parsed;
  const converted = convertLegacy(parsed.value, source);
  const twice = namesTwice(converted);
  const config = parseClusterConfig({ ...rawConfigFrom(converted), nodes });
  if (twice.length === 0) return config;
  return { ok: false, problems: [...twice, ...(config.ok ? [] : config.problems)] };
}

function rawConfigFrom(converted: readonly Conversion[]): RawConfig {
  return rawConfigOf((kind) =>
    converted
      .filter(({ resource }) => resource.kind === kind)
      .map(({ resource: { apiVersion, metadata, spec }, origin }) => ({
        // Nobody should look for an object of that name.
        name: kind === "L2Advertisement" ? origin.at("") : metadata.name,
        ...{ namespace: metadata.namespace, labels: {}, spec, apiVersion, origin },
      })),
  );
}

/** In the cluster the API server sees to that; in a text nobody does. */
function namesTwice(converted: readonly Conversion[]): ConfigProblem[] {
  const seen = new Set<string>();
  return converted.flatMap(({ resource: { kind, metadata }, origin }) => {
    const id = `${kind} ${metadata.name}`;
    const isTwice = seen.has(id);
    seen.add(id);
    if (!isTwice) return [];
    const found = `"${metadata.name}", which is there already`;
    const { object, at } = origin;
    return [{ object, where: at("name"), found, expected: "every name once" }];
  });
}

/** The problem of a ConfigMap that has no key `config`. */
export function noKey(legacy: {
  readonly namespace: string;
  readonly name: string;
}): ConfigProblem {
  const object = legacyRef(legacy);
  const where = legacyPrefix({ ...legacy, text: "" });
  return { object, where, found: "nothing", expected: "the configuration, as YAML" };
}
