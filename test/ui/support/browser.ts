// A real Chromium in a host of the lab, and a page of it whose complaints are kept.

import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { eventually } from "../../lab/eventually.ts";
import type { LabHost } from "../../lab/host.ts";

const CLI_MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

export interface OpenPage {
  readonly page: Page;
  /** What the browser wrote into its console as errors, and what the page threw. */
  readonly complaints: string[];
}

export class LabBrowser {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Chromium with the network of the host. `args`: more of its own. */
  static async start(host: LabHost, args: readonly string[] = []): Promise<LabBrowser> {
    const wrapper = join(host.folder, "chromium");
    const command = `exec ip netns exec ${host.namespace} chromium "$@"`;
    writeFileSync(wrapper, `#!/bin/sh\n${command}\n`);
    chmodSync(wrapper, 0o755);
    const options = { executablePath: wrapper, args: ["--no-sandbox", ...args] };
    return new LabBrowser(await chromium.launch(options));
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(url);
    return { page, complaints };
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

/** `lbctl ui` on a host whose daemon has that socket; the address that it prints. */
export async function startUi(host: LabHost, socket: string, port: number): Promise<string> {
  const argv = [process.execPath, CLI_MAIN, "--socket", socket, "ui", "--port", String(port)];
  const ui = host.spawn(`ui-${port}`, argv);
  const url = /http:\/\/127\.0\.0\.1:\d+\/\?key=\S+/;
  const look = async () => ui.whileRunning("lbctl ui", async () => url.exec(ui.log())?.[0] ?? null);
  const found = await eventually("lbctl ui to say where it is", look, {
    timeoutMs: 10_000,
    until: (address) => address !== null,
  });
  return found ?? "";
}
