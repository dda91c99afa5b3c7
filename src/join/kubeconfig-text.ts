// The kubeconfig of a node's daemon as text, and what is to be known of the server's address in it.
// Pure.

import { stringify } from "yaml";

export interface NodeKubeconfig {
  /** Of the context: the one that the node file asks for. */
  readonly context: string;
  readonly account: string;
  readonly server: string;
  /** PEM; null: the system's own authorities. */
  readonly ca: string | null;
  readonly servername: string | null;
  readonly insecure: boolean;
  readonly credentials:
    | { readonly tokenFile: string }
    | { readonly token: string }
    | { readonly certificate: string; readonly key: string };
}

const CLUSTER = "kubernetes";

export function kubeconfigText(about: NodeKubeconfig): string {
  const { context, account, server, ca, servername, insecure } = about;
  const cluster = {
    server,
    ...(ca === null ? {} : { "certificate-authority-data": base64(ca) }),
    ...(servername === null ? {} : { "tls-server-name": servername }),
    ...(insecure ? { "insecure-skip-tls-verify": true } : {}),
  };
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: CLUSTER, cluster }],
    users: [{ name: account, user: userOf(about.credentials) }],
    contexts: [{ name: context, context: { cluster: CLUSTER, user: account } }],
    "current-context": context,
  };
  return stringify(document, { lineWidth: 0 });
}

function userOf(credentials: NodeKubeconfig["credentials"]): object {
  if (!("certificate" in credentials)) return credentials;
  return {
    "client-certificate-data": base64(credentials.certificate),
    "client-key-data": base64(credentials.key),
  };
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

/** A server that is this very host, whoever asks. */
export function isLoopback(server: string): boolean {
  const host = URL.parse(server)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
