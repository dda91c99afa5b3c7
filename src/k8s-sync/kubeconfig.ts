// Reads a kubeconfig file: which API server, whom to trust, who we are. Reports everything that is
// wrong at once. It makes no connection, so a file that loads may still be refused by the server.

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseDocument } from "yaml";
import { AppError } from "../core/errors.ts";
import { errnoOf, whyUnreadable } from "../core/file-error.ts";
import { formatProblem, type Problem } from "../core/problem.ts";
import type { WallMs } from "../core/time.ts";
import { checkAuthorities, checkClientCertificate } from "./kubeconfig-certificates.ts";
import { FileReader } from "./kubeconfig-files.ts";
import {
  type ClusterEntry,
  findContext,
  kubeconfigSchema,
  type UserEntry,
} from "./kubeconfig-schema.ts";

export interface KubeconfigOptions {
  /** Name of a context; the file's `current-context` when absent. */
  readonly context?: string;
  /** Accept http:// and `insecure-skip-tls-verify`. */
  readonly allowInsecure?: boolean;
  /** Certificates are checked against this moment. */
  readonly now: WallMs;
}

export interface Kubeconfig {
  readonly path: string;
  readonly context: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path in front of every API path, without a slash at its end; mostly "". */
  readonly basePath: string;
  readonly tls: KubeconfigTls;
  readonly token: TokenSetting | null;
  /** From when on the client certificate is good; null without one. */
  readonly certificateIssuedAt: WallMs | null;
  /** When the client certificate expires; null without one. */
  readonly certificateExpiresAt: WallMs | null;
}

export interface KubeconfigTls {
  /** PEM; the system's own authorities when null. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly servername: string | null;
  readonly insecure: boolean;
}

export type TokenSetting =
  | { readonly kind: "fixed"; readonly token: string }
  | { readonly kind: "file"; readonly path: string };

const HOW_TO_MAKE_ONE =
  '"sudo lbctl bootstrap --kubeconfig admin.conf" makes one, and on further nodes "lbctl join"';

/** Throws AppError KUBECONFIG_INVALID, whose text lists every problem found. */
export function loadKubeconfig(path: string, options: KubeconfigOptions): Kubeconfig {
  return parseKubeconfig(readText(path), path, options);
}

/** The same for a text that came from somewhere else, in which `path` stands for it. */
export function parseKubeconfig(
  text: string,
  path: string,
  options: KubeconfigOptions,
): Kubeconfig {
  const document = kubeconfigSchema.safeParse(readYaml(text, path));
  if (!document.success) {
    const problems = document.error.issues.map((issue) => ({
      where: issue.path.join(".") || "the document",
      found: issue.code === "invalid_type" ? "something else" : issue.message,
      expected:
        issue.code === "invalid_type" ? `a value of type ${issue.expected}` : "a kubeconfig",
    }));
    throw invalid(path, problems);
  }
  const problems: Problem[] = [];
  const found = findContext(document.data, options.context, problems);
  if (found === null) throw invalid(path, problems);
  const files = new FileReader(dirname(path), problems);
  const server = checkServer(found.cluster, options, problems);
  // A proxy on the host, such as kubectl's, knows who we are without being told.
  const anonymousOk = options.allowInsecure === true;
  const reading = { files, problems, now: options.now, anonymousOk };
  const ca = readAuthorities(found.cluster, reading);
  const user = readUser(found.user, reading);
  if (problems.length > 0) throw invalid(path, problems);
  return {
    path,
    context: found.name,
    origin: server.origin,
    basePath: server.basePath,
    tls: {
      ca,
      cert: user.cert,
      key: user.key,
      servername: found.cluster["tls-server-name"] || null,
      insecure: found.cluster["insecure-skip-tls-verify"] === true,
    },
    token: user.token,
    certificateIssuedAt: user.issuedAt,
    certificateExpiresAt: user.expiresAt,
  };
}

function invalid(path: string, problems: readonly Problem[]): AppError {
  const list = problems.map(formatProblem).join("; ");
  return new AppError("KUBECONFIG_INVALID", `Cannot use kubeconfig "${path}": ${list}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    const next = errnoOf(thrown) === "ENOENT" ? `; ${HOW_TO_MAKE_ONE}` : "";
    const message = `Cannot read kubeconfig "${path}": ${whyUnreadable(thrown)}${next}`;
    throw new AppError("KUBECONFIG_INVALID", message, { cause: thrown });
  }
}

function readYaml(text: string, path: string): unknown {
  if (text.trim() === "") {
    const expected = `clusters, users and contexts (${HOW_TO_MAKE_ONE})`;
    throw invalid(path, [{ where: "the document", found: "an empty file", expected }]);
  }
  const document = parseDocument(text, { prettyErrors: true });
  const first = document.errors[0];
  if (first !== undefined) {
    const found = first.message.split("\n")[0]?.replace(/:$/, "") ?? "an error";
    throw invalid(path, [{ where: "the document", found, expected: "valid YAML" }]);
  }
  return document.toJS() as unknown;
}

function checkServer(
  cluster: ClusterEntry,
  options: KubeconfigOptions,
  problems: Problem[],
): { origin: string; basePath: string } {
  const insecureOk = options.allowInsecure === true;
  if (cluster["insecure-skip-tls-verify"] === true && !insecureOk) {
    problems.push({
      where: "cluster.insecure-skip-tls-verify",
      found: "true",
      expected: "a certificate authority (or allowInsecureApi in the node file)",
    });
  }
  if (cluster["proxy-url"]) {
    const found = `"${cluster["proxy-url"]}"`;
    problems.push({ where: "cluster.proxy-url", found, expected: "no proxy: not supported" });
  }
  const text = cluster.server ?? "";
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url?.protocol === "http:";
  if (url === null || (url.protocol !== "https:" && !isHttp)) {
    const found = text === "" ? "nothing" : `"${text}"`;
    problems.push({ where: "cluster.server", found, expected: "an https:// URL" });
    return { origin: "", basePath: "" };
  }
  if (isHttp && !insecureOk) {
    const expected = "an https:// URL (or allowInsecureApi in the node file)";
    problems.push({ where: "cluster.server", found: `"${text}"`, expected });
  }
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, "") };
}

/** What every part of the reading needs. */
interface Reading {
  readonly files: FileReader;
  readonly problems: Problem[];
  readonly now: WallMs;
  readonly anonymousOk: boolean;
}

function readAuthorities(cluster: ClusterEntry, reading: Reading): string | null {
  const read = reading.files.read("cluster.certificate-authority", {
    data: cluster["certificate-authority-data"],
    file: cluster["certificate-authority"],
  });
  if (read === null) return null;
  reading.problems.push(...checkAuthorities(read, reading.now));
  return read.text;
}

interface UserSettings {
  readonly cert: string | null;
  readonly key: string | null;
  readonly issuedAt: WallMs | null;
  readonly expiresAt: WallMs | null;
  readonly token: TokenSetting | null;
}

function readUser(user: UserEntry, reading: Reading): UserSettings {
  const { files, problems } = reading;
  refuseHelpers(user, problems);
  const cert = files.read("user.client-certificate", {
    data: user["client-certificate-data"],
    file: user["client-certificate"],
  });
  const key = files.read("user.client-key", {
    data: user["client-key-data"],
    file: user["client-key"],
  });
  let issuedAt: WallMs | null = null;
  let expiresAt: WallMs | null = null;
  if (cert !== null || key !== null) {
    const checked = checkClientCertificate(cert, key, { now: reading.now });
    problems.push(...checked.problems);
    issuedAt = checked.issuedAt;
    expiresAt = checked.expiresAt;
  }
  const token = readToken(user, files);
  if (cert === null && token === null && problems.length === 0 && !reading.anonymousOk) {
    const expected = "a client certificate, a token or a tokenFile";
    problems.push({ where: "user", found: "no credentials", expected });
  }
  return { cert: cert?.text ?? null, key: key?.text ?? null, issuedAt, expiresAt, token };
}

/** As kubectl does: a `tokenFile` wins over a `token`. */
function readToken(user: UserEntry, files: FileReader): TokenSetting | null {
  if (user.tokenFile) {
    files.read("user.tokenFile", { file: user.tokenFile });
    return { kind: "file", path: files.resolve(user.tokenFile) };
  }
  return user.token ? { kind: "fixed", token: user.token.trim() } : null;
}

function refuseHelpers(user: UserEntry, problems: Problem[]): void {
  const expected = "a client certificate, a token or a tokenFile";
  for (const key of ["exec", "auth-provider"] as const) {
    if (user[key] === undefined || user[key] === null) continue;
    // A system daemon has no business running login helpers of some user's shell.
    const found = "a helper program, which lbd does not run";
    problems.push({ where: `user.${key}`, found, expected });
  }
  if (user.username || user.password) {
    const found = "basic authentication, which Kubernetes no longer has";
    problems.push({ where: "user.username", found, expected });
  }
}
