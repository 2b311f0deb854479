/**
 * What the operating system puts around a supervised process, beside Node's own walls. Linux offers it to
 * every user, unless somebody (a container's rules, the administrator) has forbidden it; it is tried once,
 * and what is refused is left out. `sandboxReport` says what is in place.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * - `bubblewrap`: an empty file system with nothing but what the process needs, read-only; no network; no
 *   other process in sight; and the limits.
 * - `namespaces`: no network, no other process in sight; and the limits.
 * - `limits`: no core dumps, no written files, few descriptors, bounded memory. Always there on Linux.
 * - `none`: on other systems.
 */
export type OsSandbox = "bubblewrap" | "namespaces" | "limits" | "none";

const KIB = 1024;
/** Of every thread. Python's own recursion limit is met before the end of this much. */
const STACK_KIB = 16 * 1024;
const DESCRIPTORS = 64;
const TRIAL_MS = 10_000;
/** What the trial may use: as little as Node starts with. */
const TRIAL_DATA_BYTES = 4 * 1024 ** 3;

let found: OsSandbox | undefined;

/** The strongest that works here, found out by starting Node in it; a few hundredths of a second, once. */
export function findOsSandbox(): OsSandbox {
  found ??= (["bubblewrap", "namespaces"] as const).find(worksHere);
  found ??= process.platform === "linux" ? "limits" : "none";
  return found;
}

export function worksHere(osSandbox: "bubblewrap" | "namespaces"): boolean {
  if (process.platform !== "linux") return false;
  const [command = "", ...args] = osSandboxCommand([process.execPath, "--version"], {
    osSandbox,
    readable: [],
    dataBytes: TRIAL_DATA_BYTES,
  });
  const { status, stdout } = spawnSync(command, args, {
    cwd: "/",
    env: {},
    encoding: "utf8",
    timeout: TRIAL_MS,
    killSignal: "SIGKILL",
  });
  return status === 0 && stdout.trim() === process.version;
}

export type OsSandboxOptions = {
  readonly osSandbox: OsSandbox;
  /** Files and folders that the command reads, beside Node itself. */
  readonly readable: readonly string[];
  /** RLIMIT_DATA. */
  readonly dataBytes: number;
};

/** The command line that runs `command`, a Node, within the osSandbox. */
export function osSandboxCommand(
  command: readonly string[],
  options: OsSandboxOptions,
): readonly string[] {
  switch (options.osSandbox) {
    case "bubblewrap":
      return limited([...bubblewrap(options.readable), ...command], options.dataBytes);
    case "namespaces":
      return limited([...NAMESPACES, ...command], options.dataBytes);
    case "limits":
      return limited(command, options.dataBytes);
    case "none":
      return command;
  }
}

/** One limit per call: dash takes no more. One that the system refuses is left out. */
function limited(command: readonly string[], dataBytes: number): readonly string[] {
  const script = [
    UNSET,
    "exec 3>&2 2>/dev/null",
    "ulimit -c 0",
    "ulimit -f 0",
    `ulimit -n ${DESCRIPTORS}`,
    `ulimit -s ${STACK_KIB}`,
    `ulimit -d ${Math.ceil(dataBytes / KIB)}`,
    'exec "$@" 2>&3 3>&-',
  ].join("\n");
  return ["/bin/sh", "-c", script, "sh", ...command];
}

/** Shells set them; the environment is to be empty. */
const UNSET = "unset PWD OLDPWD";

/**
 * Of its own: network (without address, route or listener), processes, shared memory. The shell stays: the
 * first process of a namespace cannot end itself by a signal, and all others end with it.
 */
const NAMESPACES = [
  ...["unshare", "--user", "--map-current-user", "--net", "--ipc", "--pid", "--kill-child"],
  // A shell says on its standard error what was killed; only a subshell's redirection leaves it its own.
  ...["sh", "-c", `${UNSET}\nexec 3>&2 2>/dev/null\n(exec "$@" 2>&3 3>&-)\nexit $?`, "sh"],
];

function bubblewrap(readable: readonly string[]): readonly string[] {
  // A folder before what lies in it.
  const paths = [...new Set([process.execPath, ...sharedObjects(), ...readable])].sort();
  return [
    ...["bwrap", "--unshare-all", "--die-with-parent"],
    ...paths.flatMap((path) => ["--ro-bind-try", path, path]),
    // Node reads its own memory's size there; it shows only the processes of the namespace.
    ...["--proc", "/proc", "--remount-ro", "/", "--chdir", "/"],
  ];
}

let objects: readonly string[] | undefined;

/** The libraries that Node itself needs, by the paths that the system's loader opened. */
function sharedObjects(): readonly string[] {
  objects ??= readSharedObjects();
  return objects;
}

function readSharedObjects(): readonly string[] {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // It would look up names of hosts.
  report.excludeNetwork = true;
  const { sharedObjects } = report.getReport() as { readonly sharedObjects?: readonly string[] };
  report.excludeNetwork = excludeNetwork;
  const cache = "/etc/ld.so.cache";
  return [...(sharedObjects ?? []), cache].filter(
    (path) => path.startsWith("/") && existsSync(path),
  );
}
