// The status page in a real Chromium, with real daemons: it loads, follows a failover, explains,
// and can be used by keyboard, in the dark, and on a phone.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { clusterForSuite } from "../cluster/support/daemon-cluster.ts";
import { LabBrowser, startUi } from "./support/browser.ts";

const ADDRESS = "192.168.100.50";
const PORT = 7_475;
/** Where the pictures go; those of the docs are copies. */
const PICTURES = join(import.meta.dirname, "../../node_modules/.cache/lbd/ui");

const boxOf = (page: Page, node: string) => page.locator(`.node[data-node="${node}"]`);
const chip = (page: Page) => page.locator(`[data-address="${ADDRESS}"]`);

/** The node in whose box the address is drawn. */
async function drawnAt(page: Page): Promise<string | null> {
  const box = page.locator(".node", { has: chip(page) });
  return (await box.count()) === 1 ? box.getAttribute("data-node") : null;
}

function picture(page: Page, name: string): Promise<unknown> {
  mkdirSync(PICTURES, { recursive: true });
  return page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

describe("the status page", () => {
  const cluster = clusterForSuite({ nodes: 3 });
  let browser: LabBrowser;
  let url: string;
  /** Where the page comes from: not the owner of the address, whose cables are pulled. */
  let viewer: string;

  before(async () => {
    const c = cluster();
    await c.createService("web");
    await c.createService("shop");
    const owner = await c.untilAnswering(ADDRESS);
    viewer = c.other(owner).node.name;
    await c.untilStatus(c.daemon(viewer), /health +ok/, 30_000);
    url = await startUi(c.node(viewer), c.daemon(viewer).socket, PORT);
    browser = await LabBrowser.start(c.node(viewer));
  });
  after(() => browser?.close());

  test("shows the nodes, who answers for what, and that all is well", async () => {
    const c = cluster();
    const { page, complaints } = await browser.open(url);
    await page.locator("#health", { hasText: "ok" }).waitFor();
    assert.equal(new URL(page.url()).search, "", "the key is gone from the address line");
    for (const { name } of c.lab.nodes) await boxOf(page, name).waitFor();
    assert.equal(await drawnAt(page), await c.answering(ADDRESS));
    assert.match((await page.locator("#facts").textContent()) ?? "", /peers2 of 2 heard/);
    await page.locator("#timeline li", { hasText: ADDRESS }).first().waitFor();
    await picture(page, "light");
    assert.deepEqual(complaints, []);
  });

  test("explains an address on a click, and by keyboard, and gives the focus back", async () => {
    const { page, complaints } = await browser.open(url);
    await chip(page).waitFor();
    await chip(page).click();
    const dialog = page.locator("dialog#explanation");
    await dialog.getByText("service: yes").first().waitFor();
    await picture(page, "explanation");
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(await dialog.isVisible(), false);
    await page.locator("#filter").focus();
    const focused = () => page.evaluate("document.activeElement?.dataset.address ?? ''");
    for (let tabs = 0; tabs < 20 && (await focused()) !== ADDRESS; tabs++) {
      await page.keyboard.press("Tab");
    }
    assert.equal(await focused(), ADDRESS, "it can be reached with the Tab key");
    await page.keyboard.press("Enter");
    await dialog.getByText("service: yes").first().waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await dialog.isVisible(), false);
    assert.equal(await focused(), ADDRESS);
    assert.deepEqual(complaints, []);
  });

  test("follows a failover without being loaded again", async () => {
    const c = cluster();
    const { page, complaints } = await browser.open(url);
    await chip(page).waitFor();
    await page.evaluate("window.isTheSame = true");
    const owner = (await drawnAt(page)) ?? assert.fail("nobody has it");
    const rows = await page.locator("#timeline li").count();
    await c.node(owner).pullCables();
    try {
      const moved = page.locator(`.vip.moved[data-address="${ADDRESS}"]`);
      await moved.waitFor({ timeout: 5_000 });
      const next = await drawnAt(page);
      assert.notEqual(next, owner);
      assert.equal(await c.untilAnswering(ADDRESS), next);
      assert.ok((await page.locator("#timeline li").count()) > rows);
      const went = page.locator("#timeline li", { hasText: `${ADDRESS} went to ${next}` });
      await went.first().waitFor();
      await picture(page, "failover");
    } finally {
      await c.node(owner).plugCables();
    }
    await c.untilStatus(c.daemon(owner), /health +ok/, 30_000);
    assert.equal(await page.evaluate("window.isTheSame"), true);
    assert.deepEqual(complaints, []);
  });

  test("says what is wrong, since when, and what to do, and when that is over", async () => {
    const c = cluster();
    const { page } = await browser.open(url);
    await page.locator("#health", { hasText: "ok" }).waitFor();
    assert.equal((await c.daemon(viewer).lbctl(["drain"], 60_000)).code, 0);
    await page.locator("#health", { hasText: "degraded" }).waitFor({ timeout: 5_000 });
    const finding = page.locator(".finding", { hasText: "This node is drained" });
    assert.match((await finding.textContent()) ?? "", /since .*lbctl undrain/);
    await picture(page, "degraded");
    assert.equal((await c.daemon(viewer).lbctl(["undrain"])).code, 0);
    await page.locator("#health", { hasText: "ok" }).waitFor({ timeout: 5_000 });
    assert.equal(await page.locator(".finding").count(), 0);
  });

  test("says that the daemon is gone, and goes on when it is back", async () => {
    const c = cluster();
    const { page } = await browser.open(url);
    await page.locator("#health", { hasText: "ok" }).waitFor();
    await c.daemon(viewer).kill("SIGUSR2");
    await page.locator("#health", { hasText: "no answer" }).waitFor({ timeout: 10_000 });
    // Longer than the browser tries by itself: a refusal ends that.
    await page.waitForTimeout(6_000);
    await c.start(c.node(viewer));
    await page.locator("#health", { hasText: "ok" }).waitFor({ timeout: 30_000 });
    await c.createService("later");
    const address = await c.addressOf("later");
    await page.locator("#timeline li", { hasText: address }).first().waitFor({ timeout: 15_000 });
  });

  test("finds an address by its Service, its node, or itself", async () => {
    const { page } = await browser.open(url);
    await chip(page).waitFor();
    await page.locator("#filter").fill("default/shop");
    await chip(page).waitFor({ state: "detached" });
    assert.equal(await page.locator(".vip").count(), 1);
    await page.locator("#filter").fill(ADDRESS);
    await chip(page).waitFor();
    assert.equal(await page.locator(".vip").count(), 1);
    await page.locator("#filter").fill("no such thing");
    await chip(page).waitFor({ state: "detached" });
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`can be read on a phone, ${colorScheme}`, async () => {
      const viewport = { width: 360, height: 740 };
      const { page, complaints } = await browser.open(url, { viewport, colorScheme });
      await chip(page).waitFor();
      assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= 360);
      for (const selector of ["body", ".node p", "#facts dt", "#timeline time", "#health"]) {
        const ratio = Number(await page.evaluate(`(${contrast})(${JSON.stringify(selector)})`));
        assert.ok(ratio >= 4.5, `${selector}: contrast ${ratio}`);
      }
      await picture(page, `phone-${colorScheme}`);
      assert.deepEqual(complaints, []);
    });
  }

  test("a page under another name of this host, as in DNS rebinding, gets nothing", async () => {
    const rebound = ["--host-resolver-rules=MAP evil.test 127.0.0.1"];
    const other = await LabBrowser.start(cluster().node(viewer), rebound);
    try {
      const { page } = await other.open(url.replace("127.0.0.1", "evil.test"));
      assert.match((await page.locator("body").textContent()) ?? "", /it is asked for as \\"evil/);
    } finally {
      await other.close();
    }
  });

  test("a page of another origin can read nothing, also with the key in the browser", async () => {
    const c = cluster();
    const second = await startUi(c.node(viewer), c.daemon(viewer).socket, PORT + 1);
    const { page } = await browser.open(url);
    await page.locator("#health", { hasText: "ok" }).waitFor();
    await page.goto(second);
    await page.locator("#health", { hasText: "ok" }).waitFor();
    const ask = `fetch("http://127.0.0.1:${PORT}/v1/status", { credentials: "include" })
      .then((answer) => answer.text(), (error) => "refused: " + error.message)`;
    assert.match(String(await page.evaluate(ask)), /^refused: /);
  });
});

/** WCAG 2.2, contrast ratio of an element's text to what it stands on; runs in the page. */
const contrast = `(selector) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const part = (value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  let element = document.querySelector(selector);
  const text = luminance(rgb(getComputedStyle(element).color));
  let back = rgb(getComputedStyle(element).backgroundColor);
  while (back[3] < 255 && element.parentElement !== null) {
    element = element.parentElement;
    back = rgb(getComputedStyle(element).backgroundColor);
  }
  const [light, dark] = [text, luminance(back)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}`;
