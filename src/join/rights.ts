// What somebody must be allowed to do to bring a node into the cluster, so that all that is missing
// can be told before anything is changed. Pure.

import { type ApiObject, type CredentialKind, type Places, resourceOf } from "./objects.ts";

export interface Access {
  readonly verb: string;
  readonly group: string;
  /** With its subresource: "serviceaccounts/token". */
  readonly resource: string;
  /** Null: in the whole cluster. */
  readonly namespace: string | null;
  readonly name?: string;
}

const RBAC = "rbac.authorization.k8s.io";
const CERTIFICATES = "certificates.k8s.io";
export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";

/** To read, create and change each of the objects; and to get the credentials. */
export function rightsToJoin(
  objects: readonly ApiObject[],
  places: Places,
  kind: CredentialKind,
): Access[] {
  const toApply = objects.flatMap((object) => {
    const { group, resource, namespace } = resourceOf(object);
    return ["get", "create", "patch"].map((verb) => ({ verb, group, resource, namespace }));
  });
  return distinct([...toApply, ...rightsToIssue(places, kind)]);
}

function rightsToIssue({ systemNamespace: namespace }: Places, kind: CredentialKind): Access[] {
  if (kind === "token") {
    return [{ verb: "create", group: "", resource: "serviceaccounts/token", namespace }];
  }
  const about = { group: CERTIFICATES, namespace: null };
  const resource = "certificatesigningrequests";
  return [
    { ...about, verb: "create", resource },
    { ...about, verb: "get", resource },
    { ...about, verb: "update", resource: `${resource}/approval` },
    { ...about, verb: "approve", resource: "signers", name: CLIENT_SIGNER },
  ];
}

/** Who has all of these may grant any right; who has not must have what is granted. */
export function rightsToGrant(): Access[] {
  return ["roles", "clusterroles"].flatMap((resource) =>
    ["bind", "escalate"].map((verb) => ({ verb, group: RBAC, resource, namespace: null })),
  );
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** All that the roles among the objects grant. */
export function grantedRights(objects: readonly ApiObject[]): Access[] {
  const roles = objects.filter(({ kind }) => kind === "Role" || kind === "ClusterRole");
  return roles.flatMap((role) => {
    const { namespace } = resourceOf(role);
    return (role.rules as readonly Rule[]).flatMap((rule) => ofRule(rule, namespace));
  });
}

function ofRule(rule: Rule, namespace: string | null): Access[] {
  const names = rule.resourceNames ?? [undefined];
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        names.map((name) => ({
          ...{ verb, group, resource, namespace },
          ...(name === undefined ? {} : { name }),
        })),
      ),
    ),
  );
}

/** "create roles.rbac.authorization.k8s.io in namespace lbd-system". */
export function accessText({ verb, group, resource, namespace, name }: Access): string {
  const [kind = "", subresource] = resource.split("/");
  const type = group === "" ? kind : `${kind}.${group}`;
  const whole = subresource === undefined ? type : `${type}/${subresource}`;
  const named = name === undefined ? "" : ` "${name}"`;
  return `${verb} ${whole}${named}${namespace === null ? "" : ` in namespace ${namespace}`}`;
}

function distinct(all: readonly Access[]): Access[] {
  return [...new Map(all.map((access) => [accessText(access), access])).values()];
}
