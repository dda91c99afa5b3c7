// The daemon's metrics, as Prometheus would read them.

import { get } from "node:http";
import { errorText } from "../core/errors.ts";
import { type Known, known, unknown } from "../doctor/facts.ts";

const TIMEOUT_MS = 3_000;

export function readMetrics(where: {
  readonly address: string;
  readonly port: number;
}): Promise<Known<string>> {
  const { address, port } = where;
  if (port === 0) return Promise.resolve(unknown("metrics are off (metrics.port: 0)"));
  const { promise, resolve } = Promise.withResolvers<Known<string>>();
  // Any address of the host: asked for here.
  const host = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  const request = get({ host, port, path: "/metrics", timeout: TIMEOUT_MS }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.once("error", (error) => resolve(unknown(errorText(error))));
    response.once("end", () => resolve(known(Buffer.concat(chunks).toString("utf8"))));
  });
  request.once("timeout", () => request.destroy(new Error("no answer")));
  request.once("error", (error) => resolve(unknown(errorText(error))));
  return promise;
}
