// Checks the certificates of a kubeconfig before they are used, so that the administrator reads
// which file is wrong and why, and not an alert number of TLS.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { errorText } from "../core/errors.ts";
import type { Problem } from "../core/problem.ts";
import { type WallMs, wallMs } from "../core/time.ts";
import type { PemSource } from "./kubeconfig-files.ts";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

export interface CheckedCertificate {
  readonly problems: readonly Problem[];
  readonly issuedAt: WallMs | null;
  readonly expiresAt: WallMs | null;
}

/** The client certificate: both halves there, of the same pair, and not expired. */
export function checkClientCertificate(
  cert: PemSource | null,
  key: PemSource | null,
  options: { now: WallMs },
): CheckedCertificate {
  if (cert === null) {
    const problem = { where: "user.client-certificate", found: "nothing usable", expected: BOTH };
    return { problems: [problem], issuedAt: null, expiresAt: null };
  }
  const parsed = parseCertificates(cert);
  const leaf = parsed.certificates[0];
  if (leaf === undefined) return { problems: parsed.problems, issuedAt: null, expiresAt: null };
  const problems = [...parsed.problems, ...checkValidity(cert, leaf, options.now)];
  if (key === null) {
    problems.push({ where: "user.client-key", found: "nothing usable", expected: BOTH });
  } else {
    problems.push(...checkKey(key, leaf));
  }
  const issuedAt = wallMs(leaf.validFromDate.getTime());
  return { problems, issuedAt, expiresAt: wallMs(leaf.validToDate.getTime()) };
}

const BOTH = "client-certificate and client-key together";

/** The authorities: readable, and at least one of them not expired. */
export function checkAuthorities(ca: PemSource, now: WallMs): readonly Problem[] {
  const { certificates, problems } = parseCertificates(ca);
  if (certificates.some((one) => one.validToDate.getTime() > now)) return problems;
  const first = certificates[0];
  return first === undefined ? problems : [...problems, expired(ca, first)];
}

function parseCertificates(source: PemSource): {
  certificates: X509Certificate[];
  problems: Problem[];
} {
  const blocks = source.text.match(PEM_CERTIFICATE) ?? [];
  const expected = "certificates in PEM";
  if (blocks.length === 0) {
    const found = `no certificate in ${source.source}`;
    return { certificates: [], problems: [{ where: source.where, found, expected }] };
  }
  try {
    return { certificates: blocks.map((block) => new X509Certificate(block)), problems: [] };
  } catch (thrown) {
    const found = `a damaged certificate in ${source.source} (${errorText(thrown)})`;
    return { certificates: [], problems: [{ where: source.where, found, expected }] };
  }
}

function checkValidity(source: PemSource, leaf: X509Certificate, now: WallMs): Problem[] {
  // One of the future is left to the API server: a host that boots without a clock battery is in
  // the past until its time is set, and must not give up because of that.
  return leaf.validToDate.getTime() <= now ? [expired(source, leaf)] : [];
}

function expired(source: PemSource, certificate: X509Certificate): Problem {
  const at = isoSeconds(certificate.validToDate);
  const found = `a certificate that expired at ${at} in ${source.source}`;
  return { where: source.where, found, expected: "a certificate valid now" };
}

function checkKey(key: PemSource, leaf: X509Certificate): Problem[] {
  const expected = "the private key of the client certificate in PEM, without a passphrase";
  try {
    if (leaf.checkPrivateKey(createPrivateKey(key.text))) return [];
    const found = `the key of another certificate in ${key.source}`;
    return [{ where: key.where, found, expected }];
  } catch (thrown) {
    const found = `no usable key in ${key.source} (${errorText(thrown)})`;
    return [{ where: key.where, found, expected }];
  }
}

function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}
