// What the Kubernetes API says to the daemon's own credentials: what they may, when they end, which
// nodes and pools there are. Reads only; a SelfSubjectAccessReview is stored nowhere.

import { accessSync, constants, readFileSync } from "node:fs";
import type { NodeFile } from "../config/node-file.ts";
import { errorText } from "../core/errors.ts";
import { type WallMs, wallMs } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import type { CredentialFacts, Facts, Known, PoolFact } from "../doctor/facts.ts";
import { known, unknown } from "../doctor/facts.ts";
import { type Permission, permissions } from "../doctor/permissions.ts";
import { ApiClient } from "../k8s-sync/client.ts";
import { decodeMeta, fields, texts } from "../k8s-sync/decode.ts";
import { type Kubeconfig, loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { LeaseClient } from "../k8s-sync/leases.ts";
import { listAll } from "../k8s-sync/lister.ts";
import { rangesOf } from "./pools.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const NODE_LEASE = "lbd-node-";

export interface ClusterFacts {
  readonly credentials: Facts["credentials"];
  readonly credentialProblem: string | null;
  readonly missingPermissions: Facts["missingPermissions"];
  readonly nodes: Facts["nodes"];
  readonly pools: Known<readonly PoolFact[]>;
  readonly renewals: Facts["clock"]["renewals"];
}

export async function gatherCluster(file: NodeFile, now: WallMs): Promise<ClusterFacts> {
  let kubeconfig: Kubeconfig;
  try {
    const { kubeconfigContext: context, allowInsecureApi: allowInsecure } = file;
    const options = { now, allowInsecure, ...(context === undefined ? {} : { context }) };
    kubeconfig = loadKubeconfig(file.kubeconfig, options);
  } catch (thrown) {
    const why = unknown(errorText(thrown));
    const none = { missingPermissions: why, nodes: why, pools: why, renewals: why };
    const credentialProblem = isReadable(file.kubeconfig) ? why.why : null;
    return { credentials: why, credentialProblem, ...none };
  }
  const client = new ApiClient(kubeconfig, { version: VERSION });
  try {
    const [missingPermissions, nodes, pools, renewals] = await Promise.all([
      missing(client, file),
      nodesOf(client),
      poolsOf(client, file.namespace),
      renewalsOf(client, file),
    ]);
    const credentials = known(credentialsOf(kubeconfig));
    return { credentials, credentialProblem: null, missingPermissions, nodes, pools, renewals };
  } finally {
    await client.close();
  }
}

/** One that is not made yet, or is for root to read, is no mistake. */
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function credentialsOf({ path, token, certificateExpiresAt }: Kubeconfig): CredentialFacts {
  const text = token === null ? null : token.kind === "fixed" ? token.token : readToken(token.path);
  return { kubeconfig: path, token: text === null ? null : lifeOf(text), certificateExpiresAt };
}

function readToken(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}

/** RFC 7519 sections 4.1.4 and 4.1.6; null: it is no JWT, or has no end. */
function lifeOf(token: string): CredentialFacts["token"] {
  try {
    const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
    const { iat, exp } = fields(JSON.parse(payload) as unknown);
    if (typeof exp !== "number") return null;
    const issuedAt = typeof iat === "number" ? wallMs(iat * 1_000) : null;
    return { issuedAt, expiresAt: wallMs(exp * 1_000) };
  } catch {
    return null;
  }
}

async function missing(client: ApiClient, file: NodeFile): Promise<Facts["missingPermissions"]> {
  const { namespace, systemNamespace } = file;
  const [where, name = ""] = file.legacyConfigMap.split("/");
  const configMap = where === namespace ? name : null;
  const all = permissions({ namespace, systemNamespace, configMap });
  const answers = await Promise.all(all.map((permission) => review(client, permission)));
  const failure = answers.find((answer) => !answer.known);
  if (failure?.known === false) return failure;
  return known(all.filter((_, at) => answers[at]?.known === true && !answers[at].value));
}

async function review(client: ApiClient, permission: Permission): Promise<Known<boolean>> {
  const { namespace, group, verb, name } = permission;
  const [resource = "", subresource = ""] = permission.resource.split("/");
  const resourceAttributes = { namespace, group, resource, subresource, verb, name };
  const answer = await client.request({
    method: "POST",
    path: REVIEWS,
    body: {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    },
  });
  if (!answer.ok) return unknown(answer.failure.message);
  return known(fields(fields(answer.value).status).allowed === true);
}

async function nodesOf(client: ApiClient): Promise<Facts["nodes"]> {
  const decode = (raw: unknown) => decodeMeta(fields(raw).metadata);
  const listed = await listAll(client, { path: "/api/v1/nodes", name: "nodes" }, { decode });
  if (!listed.ok) return unknown(listed.failure.message);
  return known(
    listed.value.items.map(({ name, labels }) => ({ name, labels: Object.keys(labels) })),
  );
}

async function poolsOf(client: ApiClient, namespace: string): Promise<ClusterFacts["pools"]> {
  const path = `/apis/metallb.io/v1beta1/namespaces/${namespace}/ipaddresspools`;
  const decode = (raw: unknown): PoolFact | null => {
    const metadata = decodeMeta(fields(raw).metadata);
    if (metadata === null) return null;
    const entries = texts(fields(fields(raw).spec).addresses);
    return { name: metadata.name, ranges: entries.flatMap(rangesOf) };
  };
  const listed = await listAll(client, { path, name: "ipaddresspools" }, { decode });
  return listed.ok ? known(listed.value.items) : unknown(listed.failure.message);
}

async function renewalsOf(client: ApiClient, file: NodeFile): Promise<ClusterFacts["renewals"]> {
  const listed = await new LeaseClient(client, file.systemNamespace).list();
  if (!listed.ok) return unknown(listed.failure.message);
  return known(
    listed.value.items.flatMap(({ metadata: { name }, spec: { renewTime } }) => {
      const node = name.startsWith(NODE_LEASE) ? name.slice(NODE_LEASE.length) : file.nodeName;
      return node === file.nodeName || renewTime == null ? [] : [{ node, at: renewTime }];
    }),
  );
}
