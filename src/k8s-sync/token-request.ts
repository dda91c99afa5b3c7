// Asks the API server for a token of a service account (TokenRequest), bound to a Node object where
// the server knows how: with the Node the token ends. The server may shorten what is asked for.

import type { ApiRequests } from "./client.ts";
import { fields, text } from "./decode.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export interface TokenWish {
  readonly namespace: string;
  readonly account: string;
  readonly lifeSeconds: number;
  /** To be bound to; null: to no object but the account. */
  readonly node: { readonly name: string; readonly uid: string } | null;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** The least that the API server gives (ValidateTokenRequest). */
export const TOKEN_LIFE_SECONDS_MIN = 600;
const TIMEOUT_MS = 5_000;

/** The token. */
export async function requestToken(client: ApiRequests, wish: TokenWish): Promise<Outcome<string>> {
  const first = await ask(client, wish);
  if (first.ok || wish.node === null) return first;
  // Servers before 1.31, and those with the feature off, know no binding to a Node. One whose Node
  // has just gone says that it is not found.
  const { kind } = first.failure;
  const isTheBinding = kind === "invalid" || kind === "not-found";
  return isTheBinding ? ask(client, { ...wish, node: null }) : first;
}

async function ask(client: ApiRequests, wish: TokenWish): Promise<Outcome<string>> {
  const { namespace, account, node, signal, timeoutMs = TIMEOUT_MS } = wish;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const bound =
    node === null ? {} : { boundObjectRef: { kind: "Node", apiVersion: "v1", ...node } };
  const answer = await client.request({
    method: "POST",
    path,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        expirationSeconds: Math.max(TOKEN_LIFE_SECONDS_MIN, Math.round(wish.lifeSeconds)),
        ...bound,
      },
    },
    timeoutMs,
    signal,
  });
  if (!answer.ok) return answer;
  const token = text(fields(fields(answer.value).status).token);
  if (token !== undefined && token !== null && token !== "") return success(token);
  return failed("not-json", `Cannot read the answer to a request for "${path}": no token in it`);
}
