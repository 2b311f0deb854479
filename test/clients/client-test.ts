/** A real client in a project of its own, with an empty home, against a server on loopback whose model is a script. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type TestContext, test } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { type ServedModel, type ServeOptions, says, serve } from "../runtime/server/serve.ts";
import { clientsFolder, manifestFolder, missing } from "./installed.ts";

/** What was asked of every client. */
export const TASK = "List the files in this folder.";
/** What the script thinks before it calls a tool. */
export const THOUGHT = "The user wants a listing, so the files have to be looked at.";
export const ANSWER = "There is one file: notes.md.";
/** What the one file of the project is called; the tool's result names it. */
export const FILE = "notes.md";
export const MODEL = "gpt-oss:20b";

const CLIENT_TIMEOUT_MS = 150_000;
/** Generations that the script has an answer for. */
const MAX_STEPS = 32;

/** A prompt as text, special tokens written out → what the model says behind `<|start|>assistant`. */
export type Script = (prompt: string) => string;

export const thinks = (text: string): string => `<|channel|>analysis<|message|>${text}<|end|>`;

const calls = (tool: string, args: object | string): string => {
  const [given, type] =
    typeof args === "string" ? [args, ""] : [JSON.stringify(args), " <|constrain|>json"];
  return `<|start|>assistant<|channel|>commentary to=functions.${tool}${type}<|message|>${given}<|call|>`;
};

export const answers = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;

/** Whether a prompt ends behind the result of a call. */
const hasResult = (prompt: string, tool: string): boolean =>
  prompt.includes(`<|start|>functions.${tool} to=assistant`);

/**
 * One call, then the answer. What a client asks beside it, like a title for the conversation, declares no such tool.
 */
export function toolTurn(tool: string, args: object | string, answer: string = ANSWER): Script {
  const bare = tool.split(".").at(-1) ?? tool;
  return (prompt) => {
    if (hasResult(prompt, tool)) return answers(answer);
    if (!prompt.includes(`type ${bare} = `)) return answers("A listing");
    return thinks(THOUGHT) + calls(tool, args);
  };
}

export type ClientRun = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type Client = {
  /** The working folder of the client, with one file. */
  readonly project: string;
  /** Its home, empty at the start. */
  readonly home: string;
  readonly server: ServedModel;
  /** The prompts of the model that declare a tool. */
  readonly promptsWith: (tool: string) => readonly string[];
  /** A command of the installed clients. */
  readonly run: (
    command: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Promise<ClientRun>;
  /** A program of `programs/`, which gets the server's address as its first argument. */
  readonly program: (name: string, ...args: readonly string[]) => Promise<ClientRun>;
  /** `chorale connect` for the server. */
  readonly connect: (name: string, ...flags: readonly string[]) => Promise<ClientRun>;
};

const tokenizer = loadO200kHarmony();
const root = fileURLToPath(new URL("../../", import.meta.url));

/** @param packages  without them the test is skipped, and says so */
export function clientTest(
  name: string,
  packages: readonly string[],
  script: Script,
  body: (client: Client, context: TestContext) => Promise<void>,
  options: ServeOptions = {},
): void {
  test(name, { timeout: CLIENT_TIMEOUT_MS + 30_000 }, async (context) => {
    const reason = missing(packages);
    if (reason !== null) context.skip(reason);
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "chorale-client-")));
    const home = join(folder, "home");
    const project = join(folder, "project");
    mkdirSync(home);
    mkdirSync(project);
    writeFileSync(join(project, FILE), "one line\n");
    const reply = (tokens: readonly number[]): readonly number[] =>
      says(script(tokenizer.decode(tokens)));
    const server = await serve(
      Array.from({ length: MAX_STEPS }, () => reply),
      { hasMatchers: true, ...options },
    );
    const env = cleanEnvironment(home);
    const start = (
      command: string,
      args: readonly string[],
      more: Readonly<Record<string, string>> = {},
    ): Promise<ClientRun> => runToEnd(command, args, { cwd: project, env: { ...env, ...more } });
    try {
      await body(
        {
          project,
          home,
          server,
          promptsWith: (tool) =>
            server.prompts().filter((text) => text.includes(`type ${tool} = `)),
          run: (command, args, more) => start(commandPath(command), args, more),
          program: (program, ...args) =>
            start(process.execPath, [
              "--import",
              join(manifestFolder, "resolve-clients.ts"),
              join(manifestFolder, "programs", program),
              server.url,
              ...args,
            ]),
          connect: (client, ...flags) =>
            start(process.execPath, [
              join(root, "runtime/cli/launcher.js"),
              "connect",
              client,
              ...["--url", server.url, "--model", MODEL],
              ...flags,
            ]),
        },
        context,
      );
    } finally {
      await server.close();
      endLeftovers(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  });
}

/** What the packages of these two would put in place by an install script, which is not run. */
const PLATFORM_BINARIES: Readonly<Record<string, string>> = {
  opencode: join(`opencode-${process.platform}-${process.arch}`, "bin", "opencode"),
  claude: join("@anthropic-ai", `claude-code-${process.platform}-${process.arch}`, "claude"),
};

function commandPath(command: string): string {
  const path = PLATFORM_BINARIES[command] ?? join(".bin", command);
  return join(clientsFolder(), "node_modules", path);
}

/** Nothing of the person's own settings, keys and proxies; loopback is all that a client has to reach. */
function cleanEnvironment(home: string): Record<string, string> {
  return {
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    USERPROFILE: home,
    CHORALE_TEST_CLIENTS: clientsFolder(),
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    CI: "true",
    DO_NOT_TRACK: "1",
    NO_UPDATE_NOTIFIER: "1",
  };
}

/** Ended with all that it started, where it takes too long. */
async function runToEnd(
  command: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Record<string, string> },
): Promise<ClientRun> {
  const child = spawn(command, args, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const timer = setTimeout(() => killGroup(child), CLIENT_TIMEOUT_MS);
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8");
    child[name].on("data", (piece: string) => {
      text[name] += piece;
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject);
  // A process that it left behind may hold the pipes open, so the end of the client counts and not theirs.
  child.on("exit", resolve);
  try {
    const status = await promise;
    await Promise.race([
      new Promise((closed) => child.on("close", closed)),
      new Promise((late) => setTimeout(late, 500)),
    ]);
    return { status, ...text };
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

/** Ends what a client has left behind in a session of its own: the processes that were told of its folder. */
function endLeftovers(folder: string): void {
  if (!existsSync("/proc/self/cmdline")) return;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (args.includes(folder) && Number(pid) !== process.pid)
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
}
