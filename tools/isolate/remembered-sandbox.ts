/**
 * Remembers in the state folder which sandbox works here, since trying it takes about 0.1 s of every start. The memory
 * holds only for the conditions of the trial: the same boot, kernel settings, user, privileges, namespaces, Node and
 * sandbox programs. Where a process does not start in the sandbox, it is forgotten.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { stateDir } from "../core/state-dir.ts";
import { writerName } from "../core/writer-name.ts";
import type { OsSandbox } from "./os-sandbox-command.ts";

/** Sandboxes that are remembered. That there is none better than limits is tried anew: it may have been mended. */
export type Remembered = Extract<OsSandbox, "bubblewrap" | "namespaces" | "network-namespace">;

const REMEMBERED: ReadonlySet<unknown> = new Set<Remembered>([
  "bubblewrap",
  "namespaces",
  "network-namespace",
]);
const FILE = "sandbox.json";
/** A file with more is not ours. */
const MAX_BYTES = 1000;

/** Where the programs of a sandbox are looked for when the environment is empty, as it is for a trial. */
const PROGRAM_FOLDERS = ["/usr/bin", "/bin"];
const PROGRAMS = ["bwrap", "unshare", "mount", "setpriv", "sh"];
const SETTINGS = [
  "/proc/sys/kernel/random/boot_id",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/user/max_user_namespaces",
  "/proc/sys/user/max_net_namespaces",
  "/proc/sys/user/max_mnt_namespaces",
  "/proc/sys/kernel/unprivileged_userns_clone",
  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
  "/proc/self/attr/current",
];
const NAMESPACES = ["user", "mnt", "pid", "net", "ipc"];
/** Capabilities, seccomp filters, and whether privileges can be gained. */
const PRIVILEGES = /^(?:Cap\w+|Seccomp\w*|NoNewPrivs|Uid|Gid):.*$/gm;

/** @returns undefined where nothing is remembered for these conditions */
export function rememberedSandbox(env: NodeJS.ProcessEnv): Remembered | undefined {
  try {
    const path = join(stateDir(env), FILE);
    if (statSync(path).size > MAX_BYTES) return undefined;
    const { sandbox, conditions } = JSON.parse(readFileSync(path, "utf8"));
    const isKnown = REMEMBERED.has(sandbox) && conditions === sandboxConditions();
    return isKnown ? sandbox : undefined;
  } catch {
    // None, or not one of ours: what it would say is tried.
    return undefined;
  }
}

/** Keeps the outcome of a trial, where there is a state folder that can be written. */
export function rememberSandbox(sandbox: OsSandbox, env: NodeJS.ProcessEnv): void {
  if (!REMEMBERED.has(sandbox) || !existsSync(stateDir(env))) return;
  const path = join(stateDir(env), FILE);
  const temporary = `${path}.${writerName()}.tmp`;
  try {
    const content = JSON.stringify({ sandbox, conditions: sandboxConditions() });
    writeFileSync(temporary, content, { mode: 0o600, flag: "wx" });
    renameSync(temporary, path);
  } catch {
    // The next start tries again.
    rmSync(temporary, { force: true });
  }
}

/** The next start tries the sandboxes again. */
export function forgetSandbox(env: NodeJS.ProcessEnv): void {
  try {
    rmSync(join(stateDir(env), FILE), { force: true });
  } catch {
    // It cannot be removed; the process says by itself that it did not start.
  }
}

/** All that decides whether a sandbox works, as a hash. */
export function sandboxConditions(): string {
  const facts = [
    ...SETTINGS.map((path) => tryTo(() => readFileSync(path, "utf8"))),
    ...NAMESPACES.map((name) => tryTo(() => readlinkSync(`/proc/self/ns/${name}`))),
    ...(tryTo(() => readFileSync("/proc/self/status", "utf8")).match(PRIVILEGES) ?? []),
    ...PROGRAM_FOLDERS.flatMap((folder) => PROGRAMS.map((name) => identity(join(folder, name)))),
    process.version,
    identity(process.execPath),
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

/** Of a file: another one, or another version of it, has another identity. */
function identity(path: string): string {
  return tryTo(() => {
    const { dev, ino, size, mtimeMs, mode, uid } = statSync(path);
    return [path, dev, ino, size, mtimeMs, mode, uid].join(" ");
  });
}

function tryTo(read: () => string): string {
  try {
    return read();
  } catch {
    return "none";
  }
}
