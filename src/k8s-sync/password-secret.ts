// The password of a BGP peer: `password` of a Secret of type kubernetes.io/basic-auth. No message
// ever quotes it.

import type { ApiRequests } from "./client.ts";
import { decodeObject } from "./decode.ts";
import type { CallOptions } from "./leases.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export type PasswordSecret =
  | { readonly kind: "password"; readonly text: string }
  | { readonly kind: "damaged"; readonly problem: string };

const TYPE = "kubernetes.io/basic-auth";
const ENTRY = "password";
/** tcp(7), TCP_MD5SIG: the kernel takes no longer key. */
const LENGTH_MAX = 80;
/** It becomes one word of a line of configuration. */
const WORD = /^[\x21-\x7e]+$/;

/** not-found when there is none. */
export async function readPassword(
  client: ApiRequests,
  namespace: string,
  name: string,
  options: CallOptions = {},
): Promise<Outcome<PasswordSecret>> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const answer = await client.request({ method: "GET", path, ...options });
  if (!answer.ok) return answer;
  const object = decodeObject(answer.value);
  if (object === null) {
    return failed("not-json", `Cannot read the answer to a request for "${path}": no Secret`);
  }
  const { type } = answer.value as { type?: unknown };
  return success(passwordOf(String(type ?? ""), object.data[ENTRY]));
}

function passwordOf(type: string, encoded: string | undefined): PasswordSecret {
  if (type !== TYPE) return damaged(`it is of type "${type}" instead of "${TYPE}"`);
  if (encoded === undefined) return damaged(`it has no "${ENTRY}"`);
  const text = Buffer.from(encoded, "base64").toString("utf8");
  if (text.length > LENGTH_MAX) return damaged(`its "${ENTRY}" is longer than ${LENGTH_MAX} bytes`);
  if (WORD.test(text)) return { kind: "password", text };
  return damaged(`its "${ENTRY}" is empty, or has spaces or characters beyond ASCII`);
}

function damaged(problem: string): PasswordSecret {
  return { kind: "damaged", problem };
}
