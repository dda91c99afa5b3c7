// What tells one cluster from another: the UID of the namespace kube-system.

import { IDENTITY_NAMESPACE } from "../core/node-account.ts";
import type { ApiRequests } from "./client.ts";
import { fields, text } from "./decode.ts";
import { failed, type Outcome, success } from "./outcome.ts";

const READ_TIMEOUT_MS = 3_000;

export async function clusterUid(
  client: ApiRequests,
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<Outcome<string>> {
  const path = `/api/v1/namespaces/${IDENTITY_NAMESPACE}`;
  const { signal, timeoutMs = READ_TIMEOUT_MS } = options;
  const read = await client.request({ method: "GET", path, signal, timeoutMs });
  if (!read.ok) return read;
  const uid = text(fields(fields(read.value).metadata).uid);
  if (uid !== undefined && uid !== "") return success(uid);
  return failed("not-json", `Cannot read the identity of the cluster: "${path}" has no UID`);
}
