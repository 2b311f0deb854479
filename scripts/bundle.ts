/**
 * The part of `npm run build` that puts libraries into `dist/`. A bundled library is a development
 * dependency: the package has only what it uses of it, minified, and npm installs nothing for it.
 *
 * Each entry is a module of ours that only passes on a library (`export … from "undici"`). In a clone it
 * imports from `node_modules`; in `dist/` its JavaScript is replaced by the library itself. What several
 * entries share lies in `dist/bundled/`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type OutputChunk, rolldown } from "rolldown";

/** The page of the server: a browser loads it as one file. */
export const PAGE_FOLDER = "runtime/server/web/page/";

/** The modules that pass on a library, from the root of the repository. */
export const BUNDLE_ENTRIES: readonly string[] = [
  "runtime/code-colors/modes-library.ts",
  "runtime/cli/chat/markdown-library.ts",
  "runtime/cli/chat/terminal-library.ts",
  "runtime/cli/connect/jsonc-parser.ts",
  "runtime/jobs/signature.ts",
  "runtime/server/http/hono.ts",
  "runtime/server/wire/valibot.ts",
  "runtime/tracing/view/preact.ts",
  "runtime/tracing/view/render-to-string.ts",
  "tools/browser/convert/markdown-it.ts",
  "tools/browser/convert/postal-mime.ts",
  "tools/core/js-yaml.ts",
  "tools/mcp/sdk.ts",
  "tools/mcp/serve/sdk-server.ts",
  "tools/net/undici.ts",
  "tools/net/web/cache-semantics.ts",
];

const LICENSES = "THIRD-PARTY-LICENSES.md";
/** Licences of packages that leave theirs out of what they publish, from their repositories. */
const OWN_LICENSES = fileURLToPath(new URL("licenses/", import.meta.url));

/** What a package says about itself, as far as it is needed here. */
type Manifest = { readonly name: string; readonly version: string; readonly license?: string };

/** A package of which something is in a bundle. */
type BundledPackage = Manifest & { readonly folder: string; readonly files: Set<string> };

/**
 * Bundles the entries in place and writes the licences of what is in them.
 *
 * @param root  the repository
 * @param dist  what tsc has written there
 * @throws Error for an entry that imports another module of ours, and for a package without a licence
 */
export async function bundleLibraries(root: string, dist: string): Promise<void> {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as Record<string, Record<string, string>>;
  const installed = Object.keys({ ...dependencies, ...optionalDependencies });
  const page = await bundlePage(dist);
  const names = BUNDLE_ENTRIES.map((path) => path.replace(/\.ts$/, ""));
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, join(dist, `${name}.js`)])),
    platform: "node",
    // What Node loads of it requires its parts by names that no bundler can follow.
    resolve: { alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" } },
    // Packages that npm installs beside this one. `node:` modules are external by the platform.
    external: installed.map((name) => new RegExp(`^${RegExp.escape(name)}(?:/|$)`)),
    onLog(_, log) {
      throw new Error(`bundling: ${log.message}`);
    },
  });
  const { output } = await bundle.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "bundled/[name]-[hash].js",
    // Names stay, so that the stack of an error can be read.
    minify: { ...MINIFY, mangle: false },
    comments: NO_COMMENTS,
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === "chunk");
  const packages = packagesIn([...chunks, ...page], root, dist);
  writeFileSync(join(dist, LICENSES), licensesText(packages));
  // The declarations would send TypeScript to packages that are not there; no public type needs them.
  for (const name of names) rmSync(join(dist, `${name}.d.ts`));
}

const MINIFY = { compress: true, codegen: { removeWhitespace: true } } as const;
const NO_COMMENTS = { legal: false, annotation: false, jsdoc: false } as const;

/** Puts the page and its libraries into one module, in the place of its modules. */
async function bundlePage(dist: string): Promise<readonly OutputChunk[]> {
  const folder = join(dist, PAGE_FOLDER);
  const { code, chunks } = await pageCode(join(folder, "main.js"));
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(folder, "main.js"), code);
  return chunks.map((chunk) => ({ ...chunk, fileName: `${PAGE_FOLDER}main.js` }));
}

/** @param entry the first module of the page, as TypeScript or compiled */
export async function pageCode(
  entry: string,
): Promise<{ readonly code: string; readonly chunks: readonly OutputChunk[] }> {
  const bundle = await rolldown({ input: entry, platform: "browser" });
  const { output } = await bundle.generate({
    format: "esm",
    minify: { ...MINIFY, mangle: true },
    comments: NO_COMMENTS,
  });
  await bundle.close();
  const chunks = output.filter((file) => file.type === "chunk");
  if (chunks.length !== 1) throw new Error("the page is more than one module");
  return { code: chunks[0]?.code ?? "", chunks };
}

function packagesIn(
  chunks: readonly OutputChunk[],
  root: string,
  dist: string,
): readonly BundledPackage[] {
  const found = new Map<string, BundledPackage>();
  for (const chunk of chunks) {
    for (const [id, { renderedLength }] of Object.entries(chunk.modules)) {
      // Rolldown's own helpers have no path.
      if (!id.startsWith(root) || renderedLength === 0) continue;
      const path = relative(root, id).split(sep).join("/");
      if (path.startsWith(`${relative(root, dist)}/`)) {
        if (id === chunk.facadeModuleId || chunk.fileName.startsWith(PAGE_FOLDER)) continue;
        throw new Error(
          `${path} is in the bundle ${chunk.fileName}: an entry imports packages only`,
        );
      }
      const folder = packageFolder(id);
      const known = found.get(folder);
      if (known === undefined) {
        const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
        found.set(folder, { ...manifest, folder, files: new Set([chunk.fileName]) });
      } else known.files.add(chunk.fileName);
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The innermost folder around a file whose package.json has a name and a version. */
function packageFolder(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (!existsSync(manifest)) continue;
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as Partial<Manifest>;
    if (name && version) return folder;
  }
  throw new Error(`${file} is in no package`);
}

function licensesText(packages: readonly BundledPackage[]): string {
  const sections = packages.map(({ name, version, license, folder, files }) => {
    const texts = readdirSync(folder)
      .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    const own = join(OWN_LICENSES, `${name.replace(/^@/, "").replaceAll("/", "-")}.txt`);
    if (texts.length === 0 && existsSync(own)) texts.push(readFileSync(own, "utf8").trim());
    if (texts.length === 0) throw new Error(`${name} ${version} has no file with its licence`);
    const where = [...files].sort().map((file) => `\`${file}\``);
    const body = texts.map((text) => `\`\`\`\n${text}\n\`\`\``).join("\n\n");
    return `## ${name} ${version} (${license ?? "see below"})\n\nIn ${where.join(", ")}.\n\n${body}\n`;
  });
  return (
    "# Licences of the libraries that are bundled into this package\n\n" +
    "`npm run build` writes this file from what it bundles; see ARCHITECTURE.md.\n\n" +
    sections.join("\n")
  );
}
