// Puts what is to be shown into the document. Texts are set as text, never as markup.

import { factsOf, isGone, nodeText, rowText, servicesText } from "./model.js";

const byId = (id) => document.getElementById(id);

function element(name, { text, children = [], ...properties } = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "data") Object.assign(made.dataset, value);
    else made[key] = value;
  }
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

export function showStatus(status) {
  byId("node").textContent = `on ${status.node}`;
  byId("facts").replaceChildren(
    ...factsOf(status).map(([name, value]) =>
      element("div", { children: [element("dt", { text: name }), element("dd", { text: value })] }),
    ),
  );
}

/** `health` null: the daemon cannot be reached; `text` says so. */
export function showHealth(health, text = health) {
  const badge = byId("health");
  badge.textContent = text;
  badge.dataset.health = health ?? "failing";
  document.title = `${health ?? "no answer"} - lbd ${byId("node").textContent}`;
  byId("nodes").classList.toggle("old", health === null);
}

export function showFindings(findings) {
  const section = byId("findings");
  section.hidden = findings.length === 0;
  section.replaceChildren(
    ...findings.map(({ health, what, cause, next, since }) =>
      element("div", {
        className: "finding",
        data: { health },
        children: [
          element("strong", { text: `${health === "ok" ? "note" : health}: ${what}` }),
          element("p", { text: `since ${new Date(since).toLocaleString()}: ${cause}` }),
          element("p", { text: "next: ", children: [element("code", { text: next })] }),
        ],
      }),
    ),
  );
}

/** `moved`: the addresses to be pointed out. */
export function showNodes({ nodes, orphans }, moved, onChosen) {
  const focused = document.activeElement?.dataset?.address;
  const boxes = nodes.map((node) => nodeBox(node.node, nodeText(node), isGone(node), node));
  if (orphans.vips.length > 0) boxes.push(nodeBox("nobody", "no node owns these", true, orphans));
  byId("nodes").replaceChildren(...boxes);
  if (focused !== undefined) document.querySelector(`[data-address="${focused}"]`)?.focus();

  function nodeBox(name, about, gone, { vips, more }) {
    const chips = vips.map(({ address, services }) =>
      element("button", {
        className: moved.has(address) ? "vip moved" : "vip",
        type: "button",
        title: services.join(", "),
        children: [address, element("small", { text: servicesText(services) })],
        data: { address },
        onclick: () => onChosen(address),
      }),
    );
    if (more > 0) chips.push(element("span", { className: "soft", text: `and ${more} more` }));
    return element("div", {
      className: gone ? "node gone" : "node",
      data: { node: name },
      children: [
        element("h3", { text: name }),
        element("p", { text: about }),
        element("div", { className: "vips", children: chips }),
      ],
    });
  }
}

export function showRows(rows) {
  const items = rows.map((row) =>
    element("li", {
      data: { change: row.change },
      children: [
        element("time", { dateTime: row.at, text: new Date(row.at).toLocaleTimeString() }),
        ` ${rowText(row)}`,
      ],
    }),
  );
  byId("timeline").replaceChildren(...items);
}

const MARKS = { ok: "yes", no: "no", problem: "PROBLEM", unknown: "unknown" };

export function showExplanation({ subject, answer, steps }) {
  byId("explanation-title").textContent = subject;
  byId("explanation-answer").textContent = answer;
  byId("explanation-steps").replaceChildren(
    ...steps.map(({ step, state, text }) =>
      element("li", {
        data: state === "problem" ? { health: "failing" } : {},
        text: `${step}: ${MARKS[state]}: ${text}`,
      }),
    ),
  );
  byId("explanation").showModal();
}
