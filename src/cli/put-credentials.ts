// Gets a node's credentials and puts them in place; those that are there and good for more than
// half of their life stay.

import { X509Certificate } from "node:crypto";
import type { NodeFile } from "../config/node-file.ts";
import { nodeAccount } from "../core/node-account.ts";
import { signedCertificate } from "../join/certificates.ts";
import { textOf, tokenFileOf, writeSecret } from "../join/host.ts";
import { kubeconfigText, type NodeKubeconfig } from "../join/kubeconfig-text.ts";
import { type Kubeconfig, loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { tokenClaims } from "../k8s-sync/service-account-token.ts";
import { wallClock } from "./clock.ts";
import { type Admin, nodeKubeconfig, type Plan, tryCredentials } from "./enrol.ts";
import type { Step } from "./join-steps.ts";

/** Renewed in its middle: the API may be away for half of it. Who steals it has it for so long. */
export const TOKEN_LIFE_SECONDS = 86_400;

export interface Putting {
  readonly steps: Step[];
  /** Asked for; null: as it is, or the usual one. */
  readonly lifeSeconds: number | null;
}

export async function putToken(admin: Admin, plan: Plan, putting: Putting): Promise<void> {
  const { kubeconfig, cluster, uid } = admin;
  const { node, settings } = plan;
  const { steps, lifeSeconds } = putting;
  const about = nodeKubeconfig(kubeconfig, plan);
  const withToken = (token: string) => as(kubeconfig, { token });
  const had = usableToken(plan, lifeSeconds);
  if (had !== null && (await isGood(withToken(had), uid))) {
    return installToken(about, had, { settings, steps });
  }
  const life = lifeSeconds ?? TOKEN_LIFE_SECONDS;
  const token = await cluster.token(node, settings.systemNamespace, life);
  await tryCredentials(withToken(token), uid);
  installToken(about, token, { settings, steps });
}

export async function putCertificate(admin: Admin, plan: Plan, steps: Step[]): Promise<void> {
  const { kubeconfig, cluster, uid } = admin;
  const { node, settings } = plan;
  const had = usableCertificate(plan);
  const isKept = had !== null && (await isGood(as(kubeconfig, had), uid));
  const pair = isKept ? had : await signedCertificate(cluster.client, nodeAccount(node));
  if (!isKept) await tryCredentials(as(kubeconfig, pair), uid);
  const about = nodeKubeconfig(kubeconfig, plan);
  const text = kubeconfigText({ ...about, credentials: pair });
  const isNew = writeSecret(settings.kubeconfig, text, settings);
  steps.push({ change: isNew ? "wrote" : "unchanged", what: settings.kubeconfig });
}

/** The administrator's way to the server, as somebody else. */
function as(
  kubeconfig: Kubeconfig,
  who: { readonly token: string } | { readonly certificate: string; readonly key: string },
): Kubeconfig {
  const { tls } = kubeconfig;
  if ("token" in who) {
    const token = { kind: "fixed", token: who.token } as const;
    return { ...kubeconfig, token, tls: { ...tls, cert: null, key: null } };
  }
  return { ...kubeconfig, token: null, tls: { ...tls, cert: who.certificate, key: who.key } };
}

async function isGood(kubeconfig: Kubeconfig, uid: string): Promise<boolean> {
  try {
    await tryCredentials(kubeconfig, uid);
    return true;
  } catch {
    return false;
  }
}

/** Puts a token in place: the token first, as the daemon looks for the kubeconfig. */
export function installToken(
  about: Omit<NodeKubeconfig, "credentials">,
  token: string,
  { settings, steps }: { settings: NodeFile; steps: Step[] },
): void {
  const tokenFile = tokenFileOf(settings);
  const text = kubeconfigText({ ...about, credentials: { tokenFile } });
  for (const [path, content] of [
    [tokenFile, token],
    [settings.kubeconfig, text],
  ] as const) {
    const isNew = writeSecret(path, content, settings);
    steps.push({ change: isNew ? "wrote" : "unchanged", what: path });
  }
}

/** The token that this host has for the node, as long as more than half of its life is left. */
export function usableToken(plan: Plan, lifeSeconds: number | null): string | null {
  const { node, settings } = plan;
  const token = textOf(tokenFileOf(settings))?.trim() ?? "";
  const claims = tokenClaims(token);
  if (claims === null || claims.account !== nodeAccount(node)) return null;
  if (claims.namespace !== settings.systemNamespace) return null;
  const lifeMs = claims.expiresAt - claims.issuedAt;
  const isAsked = lifeSeconds === null || Math.abs(lifeMs / 1_000 - lifeSeconds) < 60;
  return isAsked && claims.expiresAt - wallClock() > lifeMs / 2 ? token : null;
}

function usableCertificate(plan: Plan): { certificate: string; key: string } | null {
  const { kubeconfigContext: context, allowInsecureApi: allowInsecure } = plan.settings;
  const named = context === undefined ? {} : { context };
  const now = wallClock();
  try {
    const { tls, certificateIssuedAt, certificateExpiresAt } = loadKubeconfig(
      plan.settings.kubeconfig,
      { now, allowInsecure, ...named },
    );
    const { cert: certificate, key } = tls;
    if (certificate === null || key === null) return null;
    if (certificateIssuedAt === null || certificateExpiresAt === null) return null;
    const { subject } = new X509Certificate(certificate);
    if (!subject.split("\n").includes(`CN=${nodeAccount(plan.node)}`)) return null;
    const isYoung = certificateExpiresAt - now > (certificateExpiresAt - certificateIssuedAt) / 2;
    return isYoung ? { certificate, key } : null;
  } catch {
    return null;
  }
}
