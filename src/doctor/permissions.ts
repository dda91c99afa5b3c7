// What the daemon asks of the cluster, one verb a line: a test holds it against deploy/rbac.yaml.

export interface Permission {
  /** "": cluster-wide. */
  readonly namespace: string;
  readonly group: string;
  /** With a subresource: `services/status`. */
  readonly resource: string;
  readonly verb: string;
  /** "": any. */
  readonly name: string;
}

/** The namespaces of the node file, and the name of its ConfigMap. */
export interface PermissionNames {
  readonly namespace: string;
  readonly systemNamespace: string;
  /** Null: it lies in a namespace for which deploy/rbac.yaml gives nothing. */
  readonly configMap: string | null;
}

interface Rule {
  readonly namespace: string;
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly name?: string;
}

const READ = ["list", "watch"];

export function permissions(names: PermissionNames): Permission[] {
  const { namespace, systemNamespace: system, configMap } = names;
  const metallb = { namespace, group: "metallb.io" };
  const rules: Rule[] = [
    { namespace: "", group: "", resources: ["services", "nodes", "namespaces"], verbs: READ },
    { namespace: "", group: "discovery.k8s.io", resources: ["endpointslices"], verbs: READ },
    { namespace: "", group: "", resources: ["services/status"], verbs: ["patch"] },
    { namespace: "", group: "", resources: ["namespaces"], verbs: ["get"], name: "kube-system" },
    { namespace: "", group: "events.k8s.io", resources: ["events"], verbs: ["create", "patch"] },
    {
      namespace: system,
      group: "coordination.k8s.io",
      resources: ["leases"],
      verbs: ["get", ...READ, "create", "update", "delete"],
    },
    {
      namespace: system,
      group: "",
      resources: ["secrets"],
      verbs: ["get"],
      name: "lbd-beacon-key",
    },
    { namespace: system, group: "", resources: ["secrets"], verbs: ["create"] },
    { ...metallb, resources: CONFIGURATION, verbs: READ },
    { ...metallb, resources: ["ipaddresspools/status"], verbs: ["patch"] },
    { ...metallb, resources: STATUSES, verbs: [...READ, "create", "patch", "delete"] },
    { ...metallb, resources: STATUSES.map((name) => `${name}/status`), verbs: ["patch"] },
    ...(configMap === null
      ? []
      : [{ namespace, group: "", resources: ["configmaps"], verbs: READ, name: configMap }]),
    { namespace, group: "", resources: ["secrets"], verbs: ["get"] },
    { namespace, group: "apps", resources: ["deployments", "daemonsets"], verbs: ["get", "list"] },
  ];
  return rules.flatMap(unfolded);
}

const CONFIGURATION = [
  ...["ipaddresspools", "l2advertisements", "bgppeers", "bgpadvertisements", "bfdprofiles"],
  "communities",
];
const STATUSES = ["configurationstates", "servicel2statuses", "servicebgpstatuses"];

function unfolded({ namespace, group, resources, verbs, name = "" }: Rule): Permission[] {
  return resources.flatMap((resource) =>
    verbs.map((verb) => ({ namespace, group, resource, verb, name })),
  );
}

/** `list services`, `get secrets "lbd-beacon-key" in lbd-system`. */
export function permissionText({ namespace, group, resource, verb, name }: Permission): string {
  const full = group === "" ? resource : `${resource}.${group}`;
  const which = name === "" ? "" : ` "${name}"`;
  return `${verb} ${full}${which}${namespace === "" ? "" : ` in ${namespace}`}`;
}
