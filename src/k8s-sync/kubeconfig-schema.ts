// The shape of a kubeconfig and the way from a context to its cluster and user. Pure. Unknown keys
// are kept out of the way and not refused: other programs put theirs into the same file.

import { z } from "zod";
import type { Problem } from "../core/problem.ts";

/** YAML writes an absent value as null, kubectl too. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? undefined);

const clusterSchema = z.object({
  server: text,
  "certificate-authority": text,
  "certificate-authority-data": text,
  "tls-server-name": text,
  "insecure-skip-tls-verify": flag,
  "proxy-url": text,
});

const userSchema = z.object({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  exec: z.unknown().optional(),
  "auth-provider": z.unknown().optional(),
});

const contextSchema = z.object({ cluster: text, user: text });

const clusterItem = z.object({ name: z.string(), cluster: clusterSchema.nullish() });
const userItem = z.object({ name: z.string(), user: userSchema.nullish() });
const contextItem = z.object({ name: z.string(), context: contextSchema.nullish() });

export const kubeconfigSchema = z.object({
  "current-context": text,
  clusters: z.array(clusterItem).nullish(),
  users: z.array(userItem).nullish(),
  contexts: z.array(contextItem).nullish(),
});

export type KubeconfigDocument = z.infer<typeof kubeconfigSchema>;
export type ClusterEntry = z.infer<typeof clusterSchema>;
export type UserEntry = z.infer<typeof userSchema>;

export interface FoundContext {
  readonly name: string;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

/** The wanted (or current) context with what it names; null when `problems` grew. */
export function findContext(
  document: KubeconfigDocument,
  wanted: string | undefined,
  problems: Problem[],
): FoundContext | null {
  const name = wanted ?? document["current-context"] ?? "";
  const contexts = document.contexts ?? [];
  const context = contexts.find((item) => item.name === name)?.context;
  if (!context) {
    const where = wanted === undefined ? "current-context" : "the context asked for";
    const found = name === "" ? "nothing" : `"${name}"`;
    problems.push({ where, found, expected: oneOf("context", contexts) });
    return null;
  }
  const clusters = document.clusters ?? [];
  const users = document.users ?? [];
  const cluster = clusters.find((item) => item.name === context.cluster)?.cluster;
  const user = users.find((item) => item.name === context.user)?.user;
  const where = `context "${name}"`;
  if (!cluster) {
    const found = `cluster "${context.cluster ?? ""}"`;
    problems.push({ where, found, expected: oneOf("cluster", clusters) });
  }
  if (!user) {
    const found = `user "${context.user ?? ""}"`;
    problems.push({ where, found, expected: oneOf("user", users) });
  }
  return cluster && user ? { name, cluster, user } : null;
}

function oneOf(what: string, items: readonly { name: string }[]): string {
  const names = items.map((item) => `"${item.name}"`);
  return names.length === 0 ? `a ${what}, of which the file has none` : names.join(" or ");
}
