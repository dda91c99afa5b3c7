// The Secret with the key that authenticates beacons: `current`, and `previous` while the key is
// being replaced, 32 bytes each. No message ever quotes what is in it.

import { BEACON_KEY_BYTES, type BeaconKeyPair } from "../core/beacon-keys.ts";
import type { ApiRequests } from "./client.ts";
import { decodeObject } from "./decode.ts";
import type { CallOptions } from "./leases.ts";
import type { RawObject } from "./model.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export const BEACON_SECRET = "lbd-beacon-key";

/** `damaged`: it is there and was read, but its keys cannot be used; `problem` is one sentence. */
export type BeaconSecret =
  | { readonly kind: "keys"; readonly keys: BeaconKeyPair }
  | { readonly kind: "damaged"; readonly problem: string };

/** Null: not an object of the Kubernetes API. Never throws. */
export function decodeBeaconSecret(raw: unknown): BeaconSecret | null {
  const object = decodeObject(raw);
  if (object === null) return null;
  const current = decodeKey(object, "current");
  if (typeof current === "string") return { kind: "damaged", problem: current };
  if (current === null) return { kind: "damaged", problem: damage(object, 'has no "current"') };
  const previous = decodeKey(object, "previous");
  if (typeof previous === "string") return { kind: "damaged", problem: previous };
  return { kind: "keys", keys: { current, previous } };
}

/** not-found when there is none. */
export async function readBeaconSecret(
  client: ApiRequests,
  namespace: string,
  options: CallOptions = {},
): Promise<Outcome<BeaconSecret>> {
  const path = `${secretsPath(namespace)}/${BEACON_SECRET}`;
  const answer = await client.request({ method: "GET", path, ...options });
  if (!answer.ok) return answer;
  const secret = decodeBeaconSecret(answer.value);
  if (secret !== null) return success(secret);
  return failed("not-json", `Cannot read the answer to a request for "${path}": no Secret`);
}

/** already-exists when there is one, which then stays as it is. */
export async function createBeaconSecret(
  client: ApiRequests,
  namespace: string,
  key: Uint8Array,
  options: CallOptions = {},
): Promise<Outcome<null>> {
  const body = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: BEACON_SECRET,
      namespace,
      labels: { "app.kubernetes.io/managed-by": "lbd" },
    },
    type: "Opaque",
    data: { current: Buffer.from(key).toString("base64") },
  };
  const path = secretsPath(namespace);
  const answer = await client.request({ method: "POST", path, body, ...options });
  return answer.ok ? success(null) : answer;
}

/** The key, null when the entry is missing, or what is wrong with it. */
function decodeKey(secret: RawObject, entry: keyof BeaconKeyPair): Uint8Array | null | string {
  const text = secret.data[entry];
  if (text === undefined) return null;
  const bytes = Buffer.from(text, "base64");
  // Node skips what is no base64; the API server always writes it in this one form.
  if (bytes.toString("base64") !== text) return damage(secret, `"${entry}" is not base64`);
  // A copy: small Buffers share their memory with others.
  if (bytes.length === BEACON_KEY_BYTES) return Uint8Array.from(bytes);
  const found = `"${entry}" has ${bytes.length} bytes instead of ${BEACON_KEY_BYTES}`;
  return damage(secret, found);
}

function damage({ metadata }: RawObject, what: string): string {
  const name = `"${metadata.namespace}/${metadata.name}"`;
  return `Cannot use the key for beacons in the Secret ${name}: ${what}`;
}

function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
}
