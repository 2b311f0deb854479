/**
 * `npm run build`: the package in `dist/`, with the folders of the sources, so that a path relative to a
 * file is the same in both. In the repository nothing needs it: there, Node runs the sources.
 *
 * 1. `tsc` writes JavaScript and declarations (`tsconfig.build.json`).
 * 2. What tsc leaves as it is gets its ending `.js`: the entries of workers and child processes
 *    (`new URL("./worker.ts", import.meta.url)`), and the imports of the declarations.
 * 3. Libraries are bundled (`bundle.ts`).
 * 4. The files that are read at run time are copied.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";
import { bundleLibraries } from "./bundle.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");

/** What the code reads beside itself, and the command's own file. */
const ASSETS = [
  "harmony/vocabulary/o200k.bin",
  "inference/kernels/kernels*.wasm",
  "inference/kernels/kernels.wasm.json",
  "inference/demo/{config,generation_config,tokenizer}.json",
  "inference/demo/model.safetensors",
  "tools/python/**/*.py",
  "tools/python/tzdata/*.whl",
  "tools/plugins/guest-api.d.ts",
  "runtime/cli/launcher.js",
  "docs/thread-log.schema.json",
  "runtime/server/web/page/{index.html,style.css}",
  "runtime/tracing/view/trace.css",
];

type Place = { readonly start: number; readonly end: number; readonly value: string };

/** String literals that name a TypeScript file beside `path` and that tsc has not renamed. */
function sourceNames(path: string, text: string): Place[] {
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const places: Place[] = [];
  const add = (place: Place | null | undefined) => {
    if (place && /^\.{1,2}\/.*\.ts$/.test(place.value)) places.push(place);
  };
  if (path.endsWith(".d.ts")) {
    for (const { moduleRequest } of module.staticImports) add(moduleRequest);
    // One statement can export several names; all of them have the same place.
    for (const { entries } of module.staticExports) add(entries[0]?.moduleRequest);
  }
  new Visitor({
    TSImportType: ({ source }) => add(source),
    NewExpression({ callee, arguments: [first] }) {
      if (callee.type !== "Identifier" || callee.name !== "URL") return;
      if (first?.type !== "Literal" || typeof first.value !== "string") return;
      add({ start: first.start, end: first.end, value: first.value });
    },
  }).visit(program);
  return places.sort((a, b) => b.start - a.start);
}

function compile(): void {
  const tsc = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("tsc found errors");
}

function renameEndings(): void {
  for (const path of globSync("**/*.{js,d.ts}", { cwd: DIST })) {
    const file = join(DIST, path);
    const text = readFileSync(file, "utf8");
    let renamed = text;
    for (const { start, end, value } of sourceNames(path, text)) {
      const name = JSON.stringify(value.replace(/(\.d)?\.ts$/, ".js"));
      renamed = renamed.slice(0, start) + name + renamed.slice(end);
    }
    if (renamed !== text) writeFileSync(file, renamed);
  }
}

function copyAssets(): void {
  for (const pattern of ASSETS) {
    const paths = globSync(pattern, { cwd: ROOT });
    if (paths.length === 0) throw new Error(`there is no ${pattern}`);
    for (const path of paths) {
      mkdirSync(join(DIST, dirname(path)), { recursive: true });
      copyFileSync(join(ROOT, path), join(DIST, path));
    }
  }
}

rmSync(DIST, { recursive: true, force: true });
compile();
renameEndings();
await bundleLibraries(ROOT, DIST);
copyAssets();
