/** The licences of what the build really bundles, as one text beside it. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Packages that come as files (a typeface), and texts of packages that carry none. */
const AS_FILES = ["@fontsource-variable/inter"];
const TEXTS: Record<string, string> = { "@niivue/niivue": "licences/niivue.txt" };

export function licences(root: string): Plugin {
  return {
    name: "licences",
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((part) => (part.type === "chunk" ? part.moduleIds : []));
      const named = modules.map((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]).filter((name) => name !== undefined);
      const packages = [...new Set([...named, ...AS_FILES])].sort();
      const source = packages.map((name) => `${title(root, name)}\n\n${text(root, name)}`).join(`\n\n${"-".repeat(72)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source: `${source}\n` });
    },
  };
}

function title(root: string, name: string): string {
  const facts = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
  return `${name} ${facts.version} (${facts.license})`;
}

function text(root: string, name: string): string {
  const folder = join(root, "node_modules", name);
  const own = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  const path = own ? join(folder, own) : TEXTS[name] && join(root, TEXTS[name]);
  if (!path || !existsSync(path)) throw new Error(`${name} has no licence text: add one to licences/.`);
  return readFileSync(path, "utf8").trim();
}
