// Where the parts of the Debian package lie, and the one place that knows its architectures. Which
// one is built for is decided by the machine: the Node of node_modules has to run on it.

import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** On the host. */
export const LIBRARY = "/usr/lib/lbd";

export interface Architecture {
  /** As Debian calls it. */
  readonly debian: string;
  /** The npm package with the runtime. */
  readonly nodePackage: string;
  /** Packages that stay packages, and the addon of each for this architecture. */
  readonly addons: Readonly<Record<string, string>>;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: architecture("amd64", "x64"),
  arm64: architecture("arm64", "arm64"),
};

export const ARCHITECTURE = ARCHITECTURES[process.arch] ?? unsupported();

function architecture(debian: string, node: string): Architecture {
  return {
    debian,
    nodePackage: `node-linux-${node}`,
    addons: {
      "better-sqlite3": `prebuilds/linux-${node}.node`,
      netlink: `prebuilds/linux-${node}/node.napi.node`,
      "sd-notify": "build/Release/notify.node",
    },
  };
}

function unsupported(): never {
  const known = Object.keys(ARCHITECTURES).join(" and ");
  throw new Error(`Cannot build the package: for ${known} only, this Node is for ${process.arch}`);
}
