// A client certificate for a node: a key that never leaves this process and the node, a request
// that the administrator approves at once, and the wait for the cluster's signer.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import type { ApiClient } from "../k8s-sync/client.ts";
import { fields, text } from "../k8s-sync/decode.ts";
import { certificateRequest } from "./certificate-request.ts";
import { outcomeValue } from "./cluster.ts";
import { CLIENT_SIGNER } from "./rights.ts";

export interface ClientCertificate {
  /** PEM, both. */
  readonly certificate: string;
  readonly key: string;
}

const REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const SIGNED_MS_MAX = 30_000;
const LOOK_EVERY_MS = 200;
/** RFC 5280 appendix A.1, ub-common-name. */
const COMMON_NAME_LENGTH_MAX = 64;

/** Throws AppError. `user`: the common name. */
export async function signedCertificate(
  client: Pick<ApiClient, "request">,
  user: string,
): Promise<ClientCertificate> {
  if (user.length > COMMON_NAME_LENGTH_MAX) {
    const message =
      `Cannot get a certificate for "${user}": a name in a certificate has at most ` +
      `${COMMON_NAME_LENGTH_MAX} characters; use a token`;
    throw new AppError("USAGE", message);
  }
  const { request, key } = certificateRequest(user);
  const created = outcomeValue(
    await client.request({ method: "POST", path: REQUESTS, body: requestBody(user, request) }),
  );
  const name = text(fields(fields(created).metadata).name) ?? "";
  const approved = { ...fields(created), status: { conditions: [approval()] } };
  const path = `${REQUESTS}/${name}`;
  outcomeValue(await client.request({ method: "PUT", path: `${path}/approval`, body: approved }));
  for (let waitedMs = 0; waitedMs < SIGNED_MS_MAX; waitedMs += LOOK_EVERY_MS) {
    const found = outcomeValue(await client.request({ method: "GET", path }));
    const certificate = text(fields(fields(found).status).certificate) ?? "";
    if (certificate !== "") {
      return { certificate: Buffer.from(certificate, "base64").toString("utf8"), key };
    }
    await sleep(LOOK_EVERY_MS);
  }
  const message =
    `Cannot get a certificate: "${CLIENT_SIGNER}" did not sign in ${SIGNED_MS_MAX / 1_000} s; ` +
    `see "kubectl describe csr ${name}", or use a token`;
  throw new AppError("DAEMON_TIMEOUT", message);
}

function requestBody(user: string, request: string): object {
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { generateName: `${user}-` },
    spec: {
      request: Buffer.from(request).toString("base64"),
      signerName: CLIENT_SIGNER,
      usages: ["digital signature", "client auth"],
    },
  };
}

function approval(): object {
  const message = "lbctl, by the rights of whoever runs it";
  return { type: "Approved", status: "True", reason: "LbctlJoin", message };
}
