/**
 * The table of ARCHITECTURE.md ("who may know whom") as data and a function from source files to
 * violations, so that the same rules run over the repository and over made-up files in the test.
 */

/** Folder → folders it may import; a star: types only. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  harmony: [],
  inference: ["harmony*"],
  tools: ["harmony*"],
  runtime: ["harmony", "inference", "tools"],
  test: ["harmony", "inference", "tools", "runtime"],
  examples: [],
};

/** Doors of a folder: what others may import of it. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  harmony: ["harmony/index.ts", "harmony/vocabulary/index.ts"],
  inference: ["inference/index.ts"],
  tools: ["tools/index.ts"],
  runtime: ["runtime/index.ts"],
};

/** "Only here" rules: who may name what in code. */
const ONLY_HERE: readonly {
  readonly what: string;
  readonly pattern: RegExp;
  readonly where: readonly string[];
}[] = [
  {
    what: "WebAssembly",
    pattern: /\bWebAssembly\b/,
    where: ["inference/wasm/", "inference/kernels/", "tools/python/"],
  },
  {
    what: "pyodide",
    pattern: /["']pyodide(?:\/[^"']*)?["']/,
    where: ["tools/python/"],
  },
  {
    what: "isolated-vm",
    pattern: /["']isolated-vm["']/,
    where: ["tools/isolate/"],
  },
  {
    what: "a socket or HTTP module",
    pattern: /["'](?:node:(?:net|tls|dgram|http|https|http2)|undici)["']|(?<![\w.#])fetch\(/,
    where: ["tools/net/", "tools/mcp/", "inference/remote/", "inference/store/", "runtime/server/"],
  },
];

export type SourceFile = { readonly path: string; readonly text: string };

export type Violation = { readonly path: string; readonly rule: string };

/** Import statements with their specifier; `typeOnly` when nothing of it survives type stripping. */
function importsOf(text: string): { specifier: string; typeOnly: boolean }[] {
  const found: { specifier: string; typeOnly: boolean }[] = [];
  const statement =
    /^[ \t]*(?:import|export)\s+(type\s+)?(?:[^;"'`]*?\sfrom\s+)?["']([^"']+)["']/gm;
  for (const match of text.matchAll(statement)) {
    found.push({ specifier: match[2] as string, typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) {
    found.push({ specifier: match[1] as string, typeOnly: false });
  }
  return found;
}

/** Only what runs is held to the "only here" rules: comments and type imports are free. */
function codeOnly(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|\s)\/\/.*$/gm, "$1")
    .replace(/^[ \t]*(?:import|export)\s+type\s[^;]*;/gm, "");
}

function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Everything in `files` that breaks the table, in the order of the files. */
export function violations(files: readonly SourceFile[]): Violation[] {
  const broken: Violation[] = [];
  for (const { path, text } of files) {
    const folder = path.split("/")[0] as string;
    const allowed = ALLOWED[folder];
    if (allowed === undefined) continue;
    const say = (rule: string) => broken.push({ path, rule });

    for (const { specifier, typeOnly } of importsOf(text)) {
      if (!specifier.startsWith(".")) {
        const reachesOut = specifier.startsWith("node:") || /^[a-z@]/.test(specifier);
        if (folder === "harmony" && reachesOut && !path.startsWith("harmony/vocabulary/")) {
          say(`harmony is pure, but imports ${specifier}`);
        }
        continue;
      }
      const target = resolve(path, specifier);
      const to = target.split("/")[0] as string;
      if (to === folder) {
        if (
          folder === "harmony" &&
          target.startsWith("harmony/vocabulary/") &&
          !path.startsWith("harmony/vocabulary/")
        ) {
          say("harmony's core must not load the vocabulary itself");
        }
        continue;
      }
      if (to === "test" || ALLOWED[to] === undefined) {
        say(`${folder} must not import ${target}`);
        continue;
      }
      if (allowed.includes(`${to}*`) && !typeOnly) {
        say(`${folder} may import only types from ${to}, but imports ${target} as a value`);
      } else if (!allowed.includes(to) && !allowed.includes(`${to}*`)) {
        say(`${folder} must not import ${to} (${target})`);
      } else if (folder !== "test" && !(DOORS[to] ?? []).includes(target)) {
        say(`${to} is entered by its index.ts only, but ${target} is imported`);
      }
    }

    if (folder === "test" || folder === "examples") continue;
    const code = codeOnly(text);
    for (const { what, pattern, where } of ONLY_HERE) {
      if (pattern.test(code) && !where.some((prefix) => path.startsWith(prefix))) {
        say(`only ${where.join(", ")} may use ${what}`);
      }
    }
  }
  return broken;
}
