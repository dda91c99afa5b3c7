// The status page: asks what there is, follows what happens, and asks again.

import { movedVips, nodesWithVips, withRow } from "./model.js";
import {
  showExplanation,
  showFindings,
  showHealth,
  showNodes,
  showRows,
  showStatus,
} from "./view.js";

const LOOK_EVERY_MS = 5_000;
/** After a change; several that come together are looked at once. */
const SOON_MS = 100;
/** How long an address that has moved is pointed out. */
const MOVED_MS = 5_000;
const ROWS = 50;
const FOLLOW_AGAIN_MS = 2_000;

const filter = document.getElementById("filter");
let nodes = [];
let vips = null;
let rows = [];
/** By address: until when it is pointed out. */
const moved = new Map();
let isLooking = false;
let isSoon = false;
let timer;

async function ask(path) {
  const response = await fetch(path, { cache: "no-store" });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? response.statusText);
  return body.item ?? body.items;
}

function draw() {
  const now = Date.now();
  for (const [address, until] of moved) if (until <= now) moved.delete(address);
  showNodes(nodesWithVips(nodes, vips ?? [], filter.value), new Set(moved.keys()), explain);
}

async function look() {
  clearTimeout(timer);
  timer = undefined;
  isSoon = false;
  // An answer that is overtaken by a newer one would show what was.
  if (isLooking) return lookSoon();
  isLooking = true;
  try {
    const [status, nodesNow, vipsNow] = await Promise.all(["status", "nodes", "vips"].map(askOf));
    for (const address of movedVips(vips, vipsNow)) moved.set(address, Date.now() + MOVED_MS);
    nodes = nodesNow;
    vips = vipsNow;
    showStatus(status);
    showHealth(status.health);
    showFindings(status.findings);
    draw();
  } catch (error) {
    showHealth(null, `no answer: ${error.message}`);
  }
  isLooking = false;
  timer ??= setTimeout(look, LOOK_EVERY_MS);
}

function askOf(name) {
  return ask(`v1/${name}`);
}

/** Not put off by what follows: a stream of changes is drawn while it lasts. */
function lookSoon() {
  if (isSoon) return;
  isSoon = true;
  clearTimeout(timer);
  timer = setTimeout(look, SOON_MS);
}

async function readRows() {
  rows = await ask(`v1/history?limit=${ROWS}`);
  showRows(rows);
}

async function explain(subject) {
  try {
    showExplanation(await ask(`v1/explain?subject=${encodeURIComponent(subject)}`));
  } catch (error) {
    showExplanation({ subject, answer: error.message, steps: [] });
  }
}

function follow() {
  const events = new EventSource("v1/events");
  events.addEventListener("open", () => {
    // What happened while nobody followed.
    readRows().catch(() => {});
    lookSoon();
  });
  events.addEventListener("change", ({ data }) => {
    rows = withRow(rows, JSON.parse(data).change);
    showRows(rows);
    lookSoon();
  });
  events.addEventListener("health", lookSoon);
  events.addEventListener("dropped", () => readRows().catch(() => {}));
  events.addEventListener("error", () => {
    showHealth(null, "no answer: the daemon is not there");
    // The browser connects again by itself, but not after an answer that is an error.
    if (events.readyState === EventSource.CLOSED) setTimeout(follow, FOLLOW_AGAIN_MS);
  });
}

filter.addEventListener("input", draw);
document.getElementById("close").addEventListener("click", () => {
  document.getElementById("explanation").close();
});
look();
follow();
