// The files of the status page, as they lie beside this one. The bundle carries their texts.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const TYPES = {
  "index.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "model.js": "text/javascript; charset=utf-8",
  "view.js": "text/javascript; charset=utf-8",
} as const;

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** By the path that the browser asks for. */
export function pageFiles(): Record<string, PageFile> {
  const files = Object.entries(TYPES).map(([name, type]): [string, PageFile] => {
    const text = readFileSync(join(import.meta.dirname, "page", name), "utf8");
    return [name === "index.html" ? "/" : `/${name}`, { type, text }];
  });
  return Object.fromEntries(files);
}
