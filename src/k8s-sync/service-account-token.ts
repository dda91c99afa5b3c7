// What a service account's token says of itself: whose it is, and from when to when it is good.
// The signature is the API server's business: nothing here makes a token more or less valid.

import { z } from "zod";
import { type WallMs, wallMs } from "../core/time.ts";

export interface TokenClaims {
  readonly namespace: string;
  /** Name of the service account. */
  readonly account: string;
  readonly issuedAt: WallMs;
  readonly expiresAt: WallMs;
  /** UID of the Node that it is bound to, with which it becomes invalid; null: to none. */
  readonly nodeUid: string | null;
}

/** Seconds since the epoch (RFC 7519 section 2, NumericDate). */
const claims = z.object({
  sub: z.string().regex(/^system:serviceaccount:[^:]+:[^:]+$/),
  iat: z.number().positive(),
  exp: z.number().positive(),
  "kubernetes.io": z
    .object({ node: z.object({ uid: z.string() }).optional() })
    .partial()
    .optional(),
});

/** Null: it is not the token of a service account, or one without an end. */
export function tokenClaims(token: string): TokenClaims | null {
  const payload = token.split(".")[1];
  if (payload === undefined) return null;
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  } catch {
    return null;
  }
  const read = claims.safeParse(raw);
  if (!read.success || read.data.exp <= read.data.iat) return null;
  const [, , namespace = "", account = ""] = read.data.sub.split(":");
  return {
    namespace,
    account,
    issuedAt: wallMs(read.data.iat * 1_000),
    expiresAt: wallMs(read.data.exp * 1_000),
    nodeUid: read.data["kubernetes.io"]?.node?.uid ?? null,
  };
}
