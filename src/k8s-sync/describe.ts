// Kubernetes requests in words: "list services", "update leases/lbd-vip-10.0.0.1". Pure. Verbs and
// resources are those of RBAC, so that a refusal can be answered by copying them into a rule.

export interface RequestTarget {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

export interface RequestWords {
  /** RBAC verb: get, list, watch, create, update, patch, delete. */
  readonly verb: string;
  /** RBAC resource with its subresource: `services/status`. */
  readonly resource: string;
  /** API group, "" for the core one. */
  readonly group: string;
  readonly namespace: string | null;
  readonly name: string | null;
  /** "patch services/status \"web\" in namespace \"default\"". */
  readonly text: string;
}

const WRITES: Readonly<Record<string, string>> = {
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

export function describeRequest(target: RequestTarget): RequestWords {
  const parts = target.path.split("/").filter((part) => part !== "");
  const group = parts[0] === "apis" ? decode(parts[1] ?? "") : "";
  let rest = parts.slice(parts[0] === "apis" ? 3 : 2);
  let namespace: string | null = null;
  if (rest[0] === "namespaces" && rest.length > 2) {
    namespace = decode(rest[1] ?? "");
    rest = rest.slice(2);
  }
  const name = rest[1] === undefined ? null : decode(rest[1]);
  const kind = rest[0] ?? target.path;
  const resource = rest[2] === undefined ? kind : `${kind}/${rest[2]}`;
  const verb = WRITES[target.method] ?? readVerb(target, name);
  const where = namespace === null ? "" : ` in namespace "${namespace}"`;
  const text = `${verb} ${resource}${name === null ? "" : ` "${name}"`}${where}`;
  return { verb, resource, group, namespace, name, text };
}

function readVerb(target: RequestTarget, name: string | null): string {
  if (target.query?.watch) return "watch";
  return name === null ? "list" : "get";
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
