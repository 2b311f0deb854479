/** A folder with an empty home and a project, in which real clients are started; all that they start ends with it. */
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
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { clientsFolder, manifestFolder } from "./installed.ts";

/** What the one file of the project is called. */
export const FILE = "notes.md";

export const CLIENT_TIMEOUT_MS = 150_000;

export type ClientRun = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

type Variables = Readonly<Record<string, string>>;

export type Workplace = {
  /** The working folder of the client, with one file. */
  readonly project: string;
  /** Its home, empty at the start. */
  readonly home: string;
  /** A command of the installed clients. */
  readonly run: (command: string, args: readonly string[], more?: Variables) => Promise<ClientRun>;
  /** A program of `programs/`. */
  readonly program: (name: string, ...args: readonly string[]) => Promise<ClientRun>;
  readonly chorale: (...args: readonly string[]) => Promise<ClientRun>;
  /** A program that goes on until the workplace is closed. @returns what it has said so far */
  readonly keepRunning: (command: string, args: readonly string[], more: Variables) => () => string;
  /** `chorale serve` on a free port; ends with the workplace. @returns its address */
  readonly serve: (...flags: readonly string[]) => Promise<string>;
  readonly close: () => void;
};

const root = fileURLToPath(new URL("../../", import.meta.url));
const launcher = join(root, "runtime/cli/launcher.js");

export function openWorkplace(): Workplace {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "chorale-client-")));
  const home = join(folder, "home");
  const project = join(folder, "project");
  mkdirSync(join(home, "run"), { recursive: true, mode: 0o700 });
  mkdirSync(project);
  writeFileSync(join(project, FILE), "one line\n");
  const env = cleanEnvironment(home);
  const begin = (command: string, args: readonly string[], more: Variables = {}): Started =>
    spawn(command, args, {
      cwd: project,
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
  const node = (...args: readonly string[]): Promise<ClientRun> =>
    runToEnd(begin(process.execPath, args));
  const running: ChildProcess[] = [];
  return {
    project,
    home,
    run: (command, args, more) => runToEnd(begin(commandPath(command), args, more)),
    program: (name, ...args) =>
      node(
        ...["--import", join(manifestFolder, "resolve-clients.ts")],
        ...[join(manifestFolder, "programs", name), ...args],
      ),
    chorale: (...args) => node(launcher, ...args),
    keepRunning: (command, args, more) => {
      const child = begin(command, args, more);
      running.push(child);
      let said = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (piece: string) => {
          said += piece;
        });
      }
      child.on("error", ({ message }) => {
        said += message;
      });
      return () => said;
    },
    serve: (...flags) => {
      const server = begin(process.execPath, [
        ...[launcher, "serve", "--listen", "127.0.0.1:0"],
        ...flags,
      ]);
      running.push(server);
      return addressOf(server);
    },
    close: () => {
      for (const child of running) killGroup(child);
      endLeftovers(folder);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

type Started = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

/** What a server says first. @throws Error where it ends instead */
function addressOf(server: Started): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let told = "";
  server.stderr.setEncoding("utf8").on("data", (piece: string) => {
    told += piece;
    const [, url] = /at (http:\S+) \(Ollama\)/.exec(told) ?? [];
    if (url !== undefined) resolve(url);
  });
  server.on("error", reject);
  server.on("exit", () => reject(new Error(`chorale serve has ended: ${told}`)));
  return promise;
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
    XDG_RUNTIME_DIR: join(home, "run"),
    CHORALE_HOME: join(home, "chorale"),
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
async function runToEnd(child: Started): Promise<ClientRun> {
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
  const closed = new Promise((done) => child.on("close", done));
  try {
    const status = await promise;
    await Promise.race([closed, new Promise((late) => setTimeout(late, LAST_WORDS_MS))]);
    return { status, ...text };
  } finally {
    clearTimeout(timer);
    killGroup(child);
  }
}

/** What is in a pipe when a client ends is read in this time. */
const LAST_WORDS_MS = 500;

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
