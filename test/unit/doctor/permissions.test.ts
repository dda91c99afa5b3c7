// The doctor's list of permissions is what deploy/rbac.yaml gives, verb by verb.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { permissions, permissionText } from "../../../src/doctor/permissions.ts";

interface Role {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

test("permissions() are those of deploy/rbac.yaml", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../deploy/rbac.yaml"), "utf8");
  const roles = parseAllDocuments(text).map((document) => document.toJS() as Role);
  const given = roles.flatMap(({ metadata, rules = [] }) =>
    rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [""] }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.flatMap((verb) =>
            resourceNames.map((name) => {
              const namespace = metadata.namespace ?? "";
              return permissionText({ namespace, group, resource, verb, name });
            }),
          ),
        ),
      ),
    ),
  );
  const names = { namespace: "metallb-system", systemNamespace: "lbd-system", configMap: "config" };
  assert.deepEqual(permissions(names).map(permissionText).sort(), given.sort());
});

test("permissions() leave out a ConfigMap of another namespace", () => {
  const names = { namespace: "a", systemNamespace: "b", configMap: null };
  assert.ok(permissions(names).every(({ resource }) => resource !== "configmaps"));
});
