// Writes kubeconfig files.

import { readFileSync, writeFileSync } from "node:fs";
import { stringify } from "yaml";
import type { KeyPair } from "./certificates.ts";

export type KubeconfigUser = KeyPair | { readonly token: string } | { readonly tokenFile: string };

export interface KubeconfigPlan {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly user: KubeconfigUser;
}

/** Everything inline, as kubeadm writes it, except a token that is asked for as a file. */
export function writeKubeconfig(path: string, plan: KubeconfigPlan): string {
  const document = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "lab",
        cluster: {
          server: plan.server,
          "certificate-authority-data": base64(plan.certificateAuthority),
        },
      },
    ],
    users: [{ name: "user", user: credentials(plan.user) }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "user" } }],
    "current-context": "lab",
  };
  writeFileSync(path, stringify(document), { mode: 0o600 });
  return path;
}

function credentials(user: KubeconfigUser): Record<string, string> {
  if (!("keyFile" in user)) return { ...user };
  return {
    "client-certificate-data": base64(readFileSync(user.certificateFile, "utf8")),
    "client-key-data": base64(readFileSync(user.keyFile, "utf8")),
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
