// The namespaces of the cluster with their labels, for pools that are for some of them.

import { isDeepStrictEqual } from "node:util";
import type { Labels } from "../config/label-selector.ts";
import type { KubernetesObject } from "../k8s-sync/model.ts";
import type { ReflectorSink } from "../k8s-sync/reflector.ts";

export class Namespaces {
  readonly #onChange: () => void;
  readonly #labels = new Map<string, Labels>();
  #isListed = false;

  /** `onChange`: other namespaces than before, or other labels. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Null: they were not listed yet. */
  get labels(): ReadonlyMap<string, Labels> | null {
    return this.#isListed ? this.#labels : null;
  }

  sink(): ReflectorSink<KubernetesObject> {
    return {
      replace: (all) => {
        const names = new Set(all.map(({ metadata }) => metadata.name));
        const gone = [...this.#labels.keys()].filter((name) => !names.has(name));
        for (const name of gone) this.#labels.delete(name);
        const changed = all.filter((one) => this.#set(one));
        const isFirst = !this.#isListed;
        this.#isListed = true;
        if (isFirst || gone.length + changed.length > 0) this.#onChange();
      },
      upsert: (object) => {
        if (this.#set(object)) this.#onChange();
      },
      remove: ({ metadata }) => {
        if (this.#labels.delete(metadata.name)) this.#onChange();
      },
    };
  }

  /** True when that says something new. */
  #set({ metadata: { name, labels } }: KubernetesObject): boolean {
    const before = this.#labels.get(name);
    this.#labels.set(name, labels);
    return !isDeepStrictEqual(before, labels);
  }
}
