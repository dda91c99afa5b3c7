// Faults that the fake API server can be told to show, and how each looks on the connection.

import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

export type Fault =
  /** Some other web server: a login page. */
  | { readonly kind: "html"; readonly status?: number }
  | { readonly kind: "empty"; readonly status?: number }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly reason?: string;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "redirect"; readonly location: string }
  /** A JSON document that ends in the middle, with the length that it claims. */
  | { readonly kind: "half-json" }
  /** The connection breaks in the middle of the body. */
  | { readonly kind: "truncated" }
  /** The connection breaks before an answer; the request was not executed. */
  | { readonly kind: "reset" }
  /** The request is executed and the answer lost. */
  | { readonly kind: "lost-answer" }
  /** Takes the request and never says anything. */
  | { readonly kind: "silence" }
  | { readonly kind: "delay"; readonly ms: number };

export interface FaultRule {
  readonly fault: Fault;
  readonly method?: string;
  /** Part of the path and query. */
  readonly path?: string;
  /** Watches only, or all but watches. */
  readonly watch?: boolean;
  /** How often; for ever when absent. */
  readonly times?: number;
}

export interface FaultTarget {
  readonly method: string;
  readonly url: string;
  readonly watch: boolean;
}

export class FaultScript {
  #rules: { rule: FaultRule; left: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#rules = [];
  }

  /** The fault for this request, which uses it up once. */
  take(target: FaultTarget): Fault | null {
    const found = this.#rules.find(({ rule, left }) => left > 0 && matches(rule, target));
    if (found === undefined) return null;
    found.left--;
    return found.rule.fault;
  }
}

function matches(rule: FaultRule, target: FaultTarget): boolean {
  if (rule.method !== undefined && rule.method !== target.method) return false;
  if (rule.watch !== undefined && rule.watch !== target.watch) return false;
  return rule.path === undefined || target.url.includes(rule.path);
}

/** Shows the fault; resolves true when the request is to be executed all the same. */
export async function showFault(fault: Fault, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case "html":
      response.writeHead(fault.status ?? 200, { "content-type": "text/html" });
      response.end("<html><head><title>Sign in</title></head><body>Sign in</body></html>");
      return false;
    case "empty":
      response.writeHead(fault.status ?? 200).end();
      return false;
    case "status":
      sendStatus(response, fault, fault.headers ?? {});
      return false;
    case "redirect":
      response.writeHead(302, { location: fault.location }).end();
      return false;
    case "half-json":
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"kind":"List","metadata":{"resourceVers');
      return false;
    case "truncated":
      response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
      response.write('{"kind":"List","items":[', () => response.socket?.destroy());
      return false;
    case "reset":
      response.socket?.destroy();
      return false;
    case "silence":
      return false;
    case "lost-answer":
      return true;
    case "delay":
      await delay(fault.ms);
      return true;
  }
}

export function sendStatus(
  response: ServerResponse,
  status: { status: number; reason?: string; message?: string },
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status.status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(statusObject(status)));
}

export function statusObject(status: { status: number; reason?: string; message?: string }) {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    reason: status.reason ?? "",
    message: status.message ?? `fake failure ${status.status}`,
    code: status.status,
  };
}
