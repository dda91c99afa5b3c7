// The node file, /etc/lbd/config.yaml: what this host's daemon needs to know before it can read the
// rest of its configuration from the cluster. Text in, settings or all problems out; reads no file.

import { parseDocument } from "yaml";
import { z } from "zod";
import type { Parsed } from "../core/problem.ts";
import { problemsOf } from "./zod-problems.ts";

/** Interfaces of container runtimes and CNIs, on which nobody expects a VIP to be answered. */
export const DEFAULT_EXCLUDED_INTERFACES: readonly string[] = [
  "^docker.*",
  "^cbr.*",
  "^dummy.*",
  "^virbr.*",
  "^lxcbr.*",
  "^veth.*",
  "^lo$",
  "^cali.*",
  "^tunl.*",
  "^flannel.*",
  "^kube-ipvs.*",
  "^cni.*",
  "^nodelocaldns.*",
  "^lxc.*",
];

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const absolutePath = z.string().regex(/^\//, { error: "an absolute path" });
const namespace = z.string().regex(DNS_LABEL, { error: "a namespace name (RFC 1123 label)" });
const regularExpression = z.string().refine(isRegularExpression, {
  error: "a regular expression",
});

const nodeFileSchema = z.strictObject({
  nodeName: z
    .string()
    .regex(DNS_SUBDOMAIN, { error: "a Node name (RFC 1123 subdomain, lower case)" })
    .optional(),
  kubeconfig: absolutePath.default("/etc/lbd/kubeconfig"),
  kubeconfigContext: z.string().min(1).optional(),
  allowInsecureApi: z.boolean().default(false),
  namespace: namespace.default("metallb-system"),
  systemNamespace: namespace.default("lbd-system"),
  stateFile: absolutePath.default("/var/lib/lbd/state.db"),
  socket: absolutePath.default("/run/lbd/lbd.sock"),
  socketGroup: z.string().min(1).default("lbd"),
  excludeInterfaces: z.array(regularExpression).default([...DEFAULT_EXCLUDED_INTERFACES]),
  logLevel: z.enum(["debug", "info", "warn", "error"]).default("info"),
});

/** The validated node file, defaults filled in; `nodeName` falls back on the host name. */
export type NodeFile = Omit<z.infer<typeof nodeFileSchema>, "nodeName"> & {
  readonly nodeName: string;
};

/** Reads the text of a node file; `hostName` stands in for a missing `nodeName`. */
export function parseNodeFile(text: string, hostName: string): Parsed<NodeFile> {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      where: `line ${error.linePos?.[0].line ?? 1}`,
      found: error.message.split("\n")[0] ?? "",
      expected: "valid YAML",
    }));
    return { ok: false, problems };
  }
  const raw: unknown = document.toJS() ?? {};
  const parsed = nodeFileSchema.safeParse(raw);
  if (!parsed.success) return { ok: false, problems: problemsOf(parsed.error, raw) };
  const nodeName = parsed.data.nodeName ?? hostName.toLowerCase();
  if (!DNS_SUBDOMAIN.test(nodeName)) {
    const expected = "the name of this host's Node object (the host name cannot be one)";
    return { ok: false, problems: [{ where: "nodeName", found: `"${nodeName}"`, expected }] };
  }
  return { ok: true, value: { ...parsed.data, nodeName } };
}

function isRegularExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
