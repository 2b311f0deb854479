/** Who may know whom, as data: the tables of ARCHITECTURE.md that `violations.ts` holds the sources against. */

/** Top folder → top folders that it may import; a star: types only. */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  harmony: [],
  inference: ["harmony*"],
  tools: ["harmony*"],
  runtime: ["harmony", "inference", "tools"],
  scripts: [],
  test: ["harmony", "inference", "tools", "runtime", "scripts"],
  examples: [],
};

/** The files by which a top folder is imported from outside of it. Tests import any file. */
export const DOORS: Readonly<Record<string, readonly string[]>> = {
  harmony: ["harmony/index.ts", "harmony/vocabulary/index.ts"],
  inference: ["inference/index.ts"],
  // The state folder by itself: a command knows where its files are before it loads a tool.
  tools: ["tools/index.ts", "tools/core/state-dir.ts"],
  runtime: ["runtime/index.ts"],
};

/** Files and folders of one level. None of them imports from a row above its own. */
export type Row = { readonly items: readonly string[]; readonly mutual: boolean };

/** A row whose items do not import each other. */
const apart = (...items: string[]): Row => ({ items, mutual: false });

/** A row whose items may import each other, as long as no circle comes of it. */
const together = (...items: string[]): Row => ({ items, mutual: true });

/**
 * The order inside each top folder, lowest row first. Imports of types count as well: what several
 * items need stands in a row below them. A file or folder without a row is reported.
 */
export const ORDER: Readonly<Record<string, readonly Row[]>> = {
  harmony: [
    together("errors.ts", "message.ts"),
    together("header-grammar.ts", "header-grammar/"),
    apart("tokenizer/"),
    apart("parse/", "render/"),
    apart("conversation-json.ts"),
    apart("index.ts"),
    // At the top, so that the rest of harmony is pure and loads without these 1.6 MB.
    apart("vocabulary/"),
  ],
  inference: [
    together("engine.ts", "errors.ts", "token-grammar.ts"),
    apart("wasm/"),
    together("model/", "checkpoint/", "sampling/"),
    together("decoding/", "constrain/"),
    apart("workers/"),
    apart("local/", "remote/", "store/", "scripted/", "convert/"),
    apart("open-model.ts"),
    apart("describe-model.ts", "check-tensors.ts"),
    apart("index.ts"),
    apart("kernels/", "reference/"),
  ],
  tools: [
    apart("core/"),
    apart("net/", "isolate/", "validator/"),
    apart("calls/"),
    apart("browser/", "code/", "mcp/", "plugins/", "python/"),
    apart("functions/"),
    apart("index.ts"),
  ],
  runtime: [
    together(
      ...["context.ts", "options.ts", "events.ts", "errors.ts", "home.ts", "version.ts"],
      "visible-text.ts",
    ),
    apart("policy/", "citations/", "code-colors/", "postgres/"),
    together("model/", "calls/", "thread/"),
    apart("agent/"),
    // Runs the loop with a model of its own.
    apart("research/"),
    apart("mcp-servers.ts"),
    apart("environment.ts"),
    apart("index.ts"),
    // Under the faces, since the page of the server and the command line both show it.
    apart("tracing/"),
    apart("server/", "jobs/", "minions/"),
    apart("cli/"),
  ],
  scripts: [apart("bundle.ts"), apart("build.ts", "tidy-lock-file.js")],
};

/** Folders by which a person or another program uses the runtime. */
export const FACES: readonly string[] = ["server", "jobs", "minions", "cli"].map(
  (name) => `runtime/${name}/`,
);

/**
 * What a face may import of the runtime, besides its own folder; the command line also starts other faces.
 * Errors, events and the state folder by themselves, since the command line says what is wrong with a flag
 * before it loads an engine.
 */
export const FACE_DOORS: readonly string[] = [
  "runtime/index.ts",
  "runtime/environment.ts",
  "runtime/code-colors/index.ts",
  "runtime/tracing/index.ts",
  // The page is made of the same parts as the file of a trace.
  "runtime/tracing/view/html.ts",
  "runtime/tracing/view/preact.ts",
  "runtime/tracing/view/trace-view.ts",
  "runtime/errors.ts",
  "runtime/events.ts",
  "runtime/home.ts",
  "runtime/version.ts",
  // Threads and jobs make connections to Postgres in the same way.
  "runtime/postgres/errors.ts",
  "runtime/postgres/pool.ts",
  // The model of a running server by itself: a command that uses it loads no server.
  "runtime/server/shared/find-shared-model.ts",
  // Whether a server runs is found out before anything else is loaded.
  "runtime/server/discovery.ts",
  "runtime/server/errors.ts",
  "runtime/visible-text.ts",
];

/** What only some folders may name in code that runs. */
export const ONLY_HERE: readonly {
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
    // Its types are everywhere, since those of a library of the page bring them.
    what: "a document of a browser",
    pattern: /(?<![\w.])(?:sessionStorage|localStorage|requestAnimationFrame)\b/,
    where: ["runtime/server/web/page/"],
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
    what: "pg",
    pattern: /["']pg["']/,
    where: ["runtime/thread/", "runtime/jobs/"],
  },
  {
    what: "a socket or HTTP module",
    pattern: /["'](?:node:(?:net|tls|dgram|http|https|http2)|undici)["']|(?<![\w.#])fetch\(/,
    // The isolate folder makes no requests: it tries whether a sandboxed process can.
    where: [
      "tools/net/",
      "tools/isolate/",
      "tools/mcp/",
      "inference/remote/",
      "inference/store/",
      "runtime/server/",
    ],
  },
];
