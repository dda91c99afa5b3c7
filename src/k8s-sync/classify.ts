// Turns what came back (a status and a body, or something thrown by the HTTP client) into an
// ApiFailure. Pure. A body is believed only when it is a Kubernetes Status object.

import { errorText } from "../core/errors.ts";
import { describeRequest, type RequestTarget } from "./describe.ts";
import { type ApiFailure, type ApiFailureKind, failed, type Outcome, success } from "./outcome.ts";

export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** The part of `v1.Status` that is read. */
export interface StatusObject {
  readonly reason: string;
  readonly message: string;
  readonly code: number;
  readonly retryAfterSeconds: number | null;
}

/** Longest quotation of a server's answer in a message. */
const QUOTE_LENGTH_MAX = 200;

/** The failure that an answer with a status outside 200 to 299 means. */
export function classifyAnswer(request: RequestTarget, answer: HttpAnswer): ApiFailure {
  const status = parseStatus(answer.body);
  const kind = kindOfStatus(answer.status, status?.reason ?? "");
  const retryAfterMs = retryAfter(answer) ?? secondsToMs(status?.retryAfterSeconds ?? null);
  return {
    kind,
    status: answer.status,
    message: answerText(request, { kind, answer, status }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  };
}

/** The failure that an ERROR event of a watch carries. */
export function classifyWatchError(request: RequestTarget, object: unknown): ApiFailure {
  const body = JSON.stringify(object) ?? "";
  const status = parseStatus(body);
  return classifyAnswer(request, { status: status?.code ?? 500, headers: {}, body });
}

function kindOfStatus(status: number, reason: string): ApiFailureKind {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return "not-found";
  if (status === 408) return "timeout";
  if (status === 409) return reason === "AlreadyExists" ? "already-exists" : "conflict";
  if (status === 410 || reason === "Expired" || reason === "Gone") return "gone";
  if (status === 413) return "too-large";
  if (status === 429) return "throttled";
  if (status >= 500) return "server-error";
  // Redirects, and successes without content: something other than the Kubernetes API answers.
  return status >= 400 ? "invalid" : "not-json";
}

interface Reading {
  readonly kind: ApiFailureKind;
  readonly answer: HttpAnswer;
  readonly status: StatusObject | null;
}

function answerText(request: RequestTarget, { kind, answer, status }: Reading): string {
  const words = describeRequest(request);
  const start = `Cannot ${words.text}`;
  const code = answer.status;
  const said = status?.message ? `"${quote(status.message)}"` : excerpt(answer.body);
  switch (kind) {
    case "unauthorized":
      return (
        `${start}: the API server does not accept the credentials of the kubeconfig (${code}); ` +
        "renew its token or client certificate"
      );
    case "forbidden": {
      const group = words.group === "" ? "" : ` of API group "${words.group}"`;
      return (
        `${start}: the API server forbids it (${code}, ${said}); ` +
        `allow the verb "${words.verb}" on the resource "${words.resource}"${group} to this user`
      );
    }
    case "not-json":
      return code >= 300 && code < 400
        ? `${start}: redirected (${code}) to "${quote(header(answer, "location") ?? "")}", which ` +
            'is not followed; set "server" of the kubeconfig to the API server itself'
        : `${start}: ${notTheApi(answer)}`;
    case "throttled":
      return `${start}: the API server is overloaded and asks to wait (${code})`;
    case "gone":
      return `${start}: the requested version of the data is gone (${code}, ${said})`;
    default:
      return `${start}: the API server answered ${code}, ${said}`;
  }
}

/** The failure that a thrown connection error means; `during`: how far the exchange had come. */
export function classifyThrown(
  request: RequestTarget,
  thrown: unknown,
  options: { server: string; during: "headers" | "body" },
): ApiFailure {
  const start = `Cannot ${describeRequest(request).text}`;
  const code = errorCode(thrown);
  const detail = errorText(deepest(thrown));
  const server = `"${options.server}"`;
  if (isTlsCode(code)) {
    const advice = TLS_ADVICE[code] ?? TLS_ADVICE_OTHERWISE;
    const what = `no trusted TLS connection to ${server} (${code}: ${detail})`;
    return { kind: "certificate", message: `${start}: ${what}; ${advice}` };
  }
  if (code === "UND_ERR_HEADERS_TIMEOUT" || code === "UND_ERR_BODY_TIMEOUT") {
    return { kind: "timeout", message: `${start}: ${server} stopped answering` };
  }
  if (options.during === "body") {
    const what = `the connection to ${server} ended in the middle of the answer (${detail})`;
    return { kind: "truncated", message: `${start}: ${what}` };
  }
  return { kind: "unreachable", message: `${start}: ${server} cannot be reached (${detail})` };
}

export function timeoutFailure(request: RequestTarget, server: string, ms: number): ApiFailure {
  const asked = describeRequest(request).text;
  const message = `Cannot ${asked}: no complete answer from "${server}" within ${ms} ms`;
  return { kind: "timeout", message };
}

export function tooLargeFailure(request: RequestTarget, limit: number): ApiFailure {
  const asked = describeRequest(request).text;
  const message = `Cannot ${asked}: the answer is larger than the limit of ${limit} bytes`;
  return { kind: "too-large", message };
}

/** As an outage: what works without the API goes on. */
export function credentialsFailure(request: RequestTarget): ApiFailure {
  const asked = describeRequest(request).text;
  const what = "there are no credentials for the Kubernetes API on this host yet";
  return { kind: "unreachable", message: `Cannot ${asked}: ${what}` };
}

export function abortFailure(request: RequestTarget): ApiFailure {
  const asked = describeRequest(request).text;
  return { kind: "unreachable", message: `Cannot ${asked}: stopped before there was an answer` };
}

/** The object in a 2xx body, or the failure: nothing, HTML, or a document that breaks off. */
export function parseBody(request: RequestTarget, answer: HttpAnswer): Outcome<object> {
  try {
    const parsed: unknown = JSON.parse(answer.body);
    if (typeof parsed === "object" && parsed !== null) return success(parsed);
  } catch {
    // Told apart below.
  }
  const start = `Cannot ${describeRequest(request).text}`;
  const status = answer.status;
  // Begins like an object but is no JSON: it was cut off on its way, by whatever sits between.
  if (/^\s*\{/.test(answer.body)) {
    const message = `${start}: the answer breaks off after ${answer.body.length} characters`;
    return failed("truncated", message, { status });
  }
  const message = `${start}: ${notTheApi(answer)}; check "server" in the kubeconfig`;
  return failed("not-json", message, { status });
}

function notTheApi(answer: HttpAnswer): string {
  const what = excerpt(answer.body);
  return `the answer (${answer.status}) is not from a Kubernetes API server: ${what}`;
}

/** The Status object in a body, or null. */
export function parseStatus(body: string): StatusObject | null {
  let raw: unknown;
  try {
    raw = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null) return null;
  const fields = raw as Record<string, unknown>;
  if (fields.kind !== "Status") return null;
  const details = fields.details as { retryAfterSeconds?: unknown } | null | undefined;
  const seconds = details?.retryAfterSeconds;
  return {
    reason: typeof fields.reason === "string" ? fields.reason : "",
    message: typeof fields.message === "string" ? fields.message : "",
    code: typeof fields.code === "number" ? fields.code : 500,
    retryAfterSeconds: typeof seconds === "number" ? seconds : null,
  };
}

/** RFC 9110 section 10.2.3: seconds, or a date, which is measured against the answer's own Date. */
function retryAfter(answer: HttpAnswer): number | null {
  const text = header(answer, "retry-after");
  if (text === null) return null;
  if (/^\d+$/.test(text)) return secondsToMs(Number(text));
  const until = Date.parse(text);
  const from = Date.parse(header(answer, "date") ?? "");
  return Number.isFinite(until - from) ? Math.max(0, until - from) : null;
}

/** 0 means "no wait asked for": some servers send it with every error. */
function secondsToMs(seconds: number | null): number | null {
  return seconds === null || !(seconds > 0) ? null : seconds * 1000;
}

function header(answer: HttpAnswer, name: string): string | null {
  const value = answer.headers[name];
  return (typeof value === "string" ? value : value?.[0])?.trim() ?? null;
}

function excerpt(body: string): string {
  const text = quote(body.replace(/<[^>]*>/g, " "));
  return text === "" ? "an empty answer" : `"${text}"`;
}

function quote(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > QUOTE_LENGTH_MAX ? `${line.slice(0, QUOTE_LENGTH_MAX)}...` : line;
}

function errorCode(thrown: unknown): string {
  const code = (deepest(thrown) as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** The cause at the bottom: fetch-like errors wrap the one that says something. */
function deepest(thrown: unknown): unknown {
  let current = thrown;
  for (let depth = 0; depth < 5; depth++) {
    if (!(current instanceof Error)) break;
    const inner = current instanceof AggregateError ? current.errors[0] : current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  return current;
}

const TLS_ADVICE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "renew the certificate of the API server, or set this host's clock",
  CERT_NOT_YET_VALID: "set this host's clock",
};
const TLS_ADVICE_OTHERWISE =
  'check "certificate-authority" and "tls-server-name" in the kubeconfig';

/** Codes of OpenSSL's verification and of Node's TLS layer. */
const TLS_CODE = new RegExp(
  "^(CERT_|CRL_|ERR_TLS_|ERR_SSL_|ERR_OSSL|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|EPROTO|" +
    "INVALID_CA|HOSTNAME_MISMATCH)",
);

function isTlsCode(code: string): boolean {
  return TLS_CODE.test(code);
}
