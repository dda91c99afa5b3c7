// Tests of what the cluster gets for a node: its objects, and the rights that takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { deployTexts } from "../../../src/join/deploy-files.ts";
import {
  type ApiObject,
  asYaml,
  labelOf,
  nodeLease,
  nodeObjects,
  resourceOf,
  sharedObjects,
  typeOf,
} from "../../../src/join/objects.ts";
import {
  accessText,
  grantedRights,
  rightsToGrant,
  rightsToJoin,
} from "../../../src/join/rights.ts";

const PLACES = { namespace: "metallb-system", systemNamespace: "lbd-system" };
const ELSEWHERE = { namespace: "pools", systemNamespace: "balancer" };
const shared = sharedObjects(deployTexts(), PLACES);

test("sharedObjects() are those of deploy/, namespaces first, without an account", () => {
  const kinds = shared.map(({ kind }) => kind);
  assert.ok(kinds.includes("CustomResourceDefinition"));
  assert.equal(kinds.includes("ServiceAccount"), false);
  assert.equal(
    kinds.some((kind) => kind.endsWith("Binding")),
    false,
  );
  const firstPlaced = shared.findIndex(({ metadata }) => metadata.namespace !== undefined);
  assert.ok(kinds.lastIndexOf("Namespace") < firstPlaced);
});

test("sharedObjects() go to the namespaces that the node file names", () => {
  const moved = sharedObjects(deployTexts(), ELSEWHERE);
  const names = moved
    .filter(({ kind }) => kind === "Namespace")
    .map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["balancer", "pools"]);
  const roles = moved.filter(({ kind }) => kind === "Role").map(labelOf);
  assert.deepEqual(roles, ["Role balancer/lbd", "Role pools/lbd"]);
  assert.doesNotMatch(asYaml(nodeObjects("n1", ELSEWHERE, "token")), /lbd-system|metallb-system/);
});

test("sharedObjects() in one namespace have one role with the rules of both", () => {
  const one = sharedObjects(deployTexts(), { namespace: "all", systemNamespace: "all" });
  const labels = one.map(labelOf);
  assert.equal(new Set(labels).size, labels.length);
  const roles = one.filter(({ kind }) => kind === "Role");
  assert.equal(roles.length, 1);
  const rules = JSON.stringify(roles[0]?.rules);
  assert.match(rules, /"leases"/);
  assert.match(rules, /"ipaddresspools"/);
});

test("nodeObjects() of a token are an account, its roles, and tokens of itself", () => {
  assert.deepEqual(nodeObjects("n1", PLACES, "token").map(labelOf), [
    "ServiceAccount lbd-system/lbd-node-n1",
    "ClusterRoleBinding lbd-node-n1",
    "RoleBinding lbd-system/lbd-node-n1",
    "RoleBinding metallb-system/lbd-node-n1",
    "Role lbd-system/lbd-token-n1",
    "RoleBinding lbd-system/lbd-token-n1",
  ]);
  const role = nodeObjects("n1", PLACES, "token").find(({ kind }) => kind === "Role");
  assert.deepEqual(role?.rules, [
    {
      apiGroups: [""],
      resources: ["serviceaccounts/token"],
      resourceNames: ["lbd-node-n1"],
      verbs: ["create"],
    },
  ]);
});

test("nodeObjects() of two nodes never have one name", () => {
  const labels = ["a", "a-token", "token-a", "b"].flatMap((node) =>
    nodeObjects(node, PLACES, "token").map(labelOf),
  );
  assert.equal(new Set(labels).size, labels.length);
});

test("nodeObjects() of a certificate bind the user that it names, and have no account", () => {
  const objects = nodeObjects("n1", PLACES, "certificate");
  const kinds = objects.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["ClusterRoleBinding", "RoleBinding", "RoleBinding"]);
  const subject = { kind: "User", name: "lbd-node-n1", apiGroup: "rbac.authorization.k8s.io" };
  for (const object of objects) assert.deepEqual(object.subjects, [subject]);
});

test("asYaml() is read back as it was", () => {
  const objects = [...shared, ...nodeObjects("n1", PLACES, "token")];
  const read = parseAllDocuments(asYaml(objects)).map((document) => document.toJS() as ApiObject);
  assert.deepEqual(read, objects);
});

test("resourceOf() and typeOf() of a core object, a group's, and one of the cluster", () => {
  assert.deepEqual(resourceOf(nodeLease("n1", PLACES)), {
    group: "coordination.k8s.io",
    resource: "leases",
    namespace: "lbd-system",
    path: "/apis/coordination.k8s.io/v1/namespaces/lbd-system/leases/lbd-node-n1",
  });
  const namespace: ApiObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } };
  assert.equal(resourceOf(namespace).path, "/api/v1/namespaces/a");
  assert.deepEqual([namespace, nodeLease("n1", PLACES)].map(typeOf), [
    "namespaces",
    "leases.coordination.k8s.io",
  ]);
});

test("rightsToJoin() are each told once, with the way to the credentials", () => {
  const objects = nodeObjects("n1", PLACES, "token");
  const texts = rightsToJoin(objects, PLACES, "token").map(accessText);
  assert.equal(new Set(texts).size, texts.length);
  for (const text of [
    "get serviceaccounts in namespace lbd-system",
    "patch rolebindings.rbac.authorization.k8s.io in namespace metallb-system",
    "create clusterrolebindings.rbac.authorization.k8s.io",
    "create serviceaccounts/token in namespace lbd-system",
  ]) {
    assert.ok(texts.includes(text), text);
  }
  const certificate = rightsToJoin([], PLACES, "certificate").map(accessText);
  assert.ok(certificate.includes("update certificatesigningrequests.certificates.k8s.io/approval"));
  assert.ok(
    certificate.includes(
      'approve signers.certificates.k8s.io "kubernetes.io/kube-apiserver-client"',
    ),
  );
});

test("grantedRights() are all that the roles say, by name where they have names", () => {
  const texts = grantedRights(shared).map(accessText);
  for (const text of [
    "list services",
    'get namespaces "kube-system"',
    "delete leases.coordination.k8s.io in namespace lbd-system",
    'get secrets "lbd-beacon-key" in namespace lbd-system',
    "patch servicel2statuses.metallb.io/status in namespace metallb-system",
  ]) {
    assert.ok(texts.includes(text), text);
  }
  assert.equal(rightsToGrant().length, 4);
});
