// A kubeconfig with what says where and who, and nothing that proves it: what is not on the list
// is left out, so that a new kind of credentials is, too.

import { parse, stringify } from "yaml";

type Fields = Readonly<Record<string, unknown>>;

const CLUSTER = new Set([
  ...["server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url"],
  ...["certificate-authority", "certificate-authority-data"],
]);
const CONTEXT = new Set(["cluster", "user", "namespace"]);
/** Of certificates the public part alone; of files their names. */
const USER = new Set(["tokenFile", "client-certificate", "client-certificate-data", "client-key"]);
const REDACTED = "[redacted]";

/** Null: it cannot be parsed, so nobody knows what of it is secret. */
export function redactKubeconfig(text: string): string | null {
  let document: Fields;
  try {
    document = fieldsOf(parse(text, { maxAliasCount: 0 }));
  } catch {
    return null;
  }
  return stringify({
    "current-context": document["current-context"],
    clusters: entries(document.clusters, "cluster", CLUSTER),
    contexts: entries(document.contexts, "context", CONTEXT),
    users: entries(document.users, "user", USER),
  });
}

function entries(raw: unknown, key: string, kept: ReadonlySet<string>): unknown[] {
  return (Array.isArray(raw) ? raw : []).map((entry) => {
    const { name, [key]: about } = fieldsOf(entry);
    const fields = Object.entries(fieldsOf(about)).map(([field, value]) => {
      const isKept = kept.has(field) && (typeof value === "string" || typeof value === "boolean");
      return [field, isKept ? value : REDACTED];
    });
    return { name, [key]: Object.fromEntries(fields) };
  });
}

function fieldsOf(raw: unknown): Fields {
  return typeof raw === "object" && raw !== null ? (raw as Fields) : {};
}
