// A machine outside the cluster that uses its Services: the judge of what works.

import { LabHost } from "./host.ts";

export interface CurlResult {
  /** HTTP status, or 0 when there was no answer. */
  readonly status: number;
  readonly body: string;
  readonly totalMs: number;
  /** What curl said when there was no answer. */
  readonly error: string;
}

export type ConnectResult = "connected" | "refused" | "timed out" | "unreachable";

const TIMEOUT_MS_DEFAULT = 2_000;

export class LabClient extends LabHost {
  /** One request on a new connection. Never throws for what the network does. */
  async curl(url: string, options: { timeoutMs?: number } = {}): Promise<CurlResult> {
    const seconds = String((options.timeoutMs ?? TIMEOUT_MS_DEFAULT) / 1_000);
    const format = "\n%{http_code} %{time_total}";
    const argv = ["curl", "-sS", "--globoff", "--max-time", seconds, "-w", format, url];
    const { stdout, stderr } = await this.tryRun(argv);
    const split = stdout.lastIndexOf("\n");
    const [status, total] = stdout.slice(split + 1).split(" ");
    return {
      status: Number(status),
      body: stdout.slice(0, Math.max(split, 0)),
      totalMs: Number(total) * 1_000,
      error: stderr.trim(),
    };
  }

  async tcpConnect(
    address: string,
    port: number,
    timeoutMs = TIMEOUT_MS_DEFAULT,
  ): Promise<ConnectResult> {
    const connect = `exec 3<>/dev/tcp/${address}/${port}`;
    const argv = ["timeout", String(timeoutMs / 1_000), "bash", "-c", connect];
    const { code, stderr } = await this.tryRun(argv);
    if (code === 0) return "connected";
    if (code === TIMEOUT_EXIT_STATUS) return "timed out";
    return stderr.includes("Connection refused") ? "refused" : "unreachable";
  }
}

/** What timeout(1) exits with when it ended the command. */
const TIMEOUT_EXIT_STATUS = 124;
