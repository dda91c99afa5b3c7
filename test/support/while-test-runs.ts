// Starts what a test runs against an API server in memory, and ends both with the test.

import type { TestContext } from "node:test";
import type { ApiClient } from "../../src/k8s-sync/client.ts";
import type { FakeApiServer } from "./fake-api-server.ts";

export function whileTestRuns(
  t: Pick<TestContext, "after">,
  run: (signal: AbortSignal) => Promise<void>,
  { client, server }: { readonly client: ApiClient; readonly server: FakeApiServer },
): { readonly start: () => void; readonly signal: AbortSignal } {
  const stop = new AbortController();
  let done = Promise.resolve();
  t.after(async () => {
    stop.abort();
    await done;
    await client.close();
    await server.stop();
  });
  const start = (): void => {
    done = run(stop.signal);
  };
  return { start, signal: stop.signal };
}
