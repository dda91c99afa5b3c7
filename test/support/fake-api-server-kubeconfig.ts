// Kubeconfigs for the fake API server: as loaded, for tests of the client, and as the text of a
// file, for a daemon.

import { stringify } from "yaml";
import type { Kubeconfig, KubeconfigTls, TokenSetting } from "../../src/k8s-sync/kubeconfig.ts";

export interface FakeKubeconfigOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: TokenSetting;
}

/** For anything with a url, whatever listens there. */
export function kubeconfigFor(
  server: { readonly url: string },
  options: FakeKubeconfigOptions & { readonly tls?: Partial<KubeconfigTls> } = {},
): Kubeconfig {
  const { ca = null, cert = null, key = null, token = null } = options;
  return {
    path: "/etc/lbd/kubeconfig",
    context: "fake",
    origin: new URL(server.url).origin,
    basePath: "",
    tls: { ca, cert, key, servername: null, insecure: false, ...options.tls },
    token,
    certificateIssuedAt: null,
    certificateExpiresAt: null,
  };
}

/** Needs `allowInsecureApi` where the fake serves plain HTTP. */
export function kubeconfigText(
  server: { readonly url: string },
  options: FakeKubeconfigOptions = {},
): string {
  const data = (pem: string | undefined): string | undefined =>
    pem === undefined ? undefined : Buffer.from(pem).toString("base64");
  const { token } = options;
  const user = {
    "client-certificate-data": data(options.cert),
    "client-key-data": data(options.key),
    ...(token === undefined ? {} : token.kind === "file" ? { tokenFile: token.path } : token),
  };
  const cluster = { server: server.url, "certificate-authority-data": data(options.ca) };
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "fake",
    clusters: [{ name: "fake", cluster }],
    users: [{ name: "lbd", user }],
    contexts: [{ name: "fake", context: { cluster: "fake", user: "lbd" } }],
  });
}
