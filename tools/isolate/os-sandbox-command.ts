/** Command lines that have the operating system put a sandbox around a process. */
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * - `bubblewrap`: a file system of its own that holds only what the process needs, read-only; a network of
 *   its own, with nothing in it; no other process in sight; and the limits.
 * - `namespaces`: the same, made by the programs of util-linux (`unshare`, `mount`).
 * - `network-namespace`: a network of its own and no other process in sight, but the file system of the
 *   agent, with the Unix sockets in it; and the limits.
 * - `limits`: no core dumps, no written files, few descriptors, bounded memory. Always there on Linux.
 * - `none`: on other systems.
 */
export type OsSandbox = "bubblewrap" | "namespaces" | "network-namespace" | "limits" | "none";

export type OsSandboxOptions = {
  readonly osSandbox: OsSandbox;
  /** Files and folders that the command reads, beside Node itself. */
  readonly readable: readonly string[];
  /** RLIMIT_DATA. */
  readonly dataBytes: number;
};

const KIB = 1024;
/** Of every thread. Python's own recursion limit is met before the end of this much. */
const STACK_KIB = 16 * 1024;
const DESCRIPTORS = 64;

/** The command line that runs `command`, a Node, in the sandbox. On Windows: the command itself. */
export function osSandboxCommand(
  command: readonly string[],
  options: OsSandboxOptions,
): readonly string[] {
  const { osSandbox, readable, dataBytes } = options;
  switch (osSandbox) {
    case "bubblewrap":
      return limited([...bubblewrap(readable), ...command], dataBytes);
    case "namespaces":
      return endedByKernel([
        ...UNSHARE_FILES,
        ...firstProcess(fileTree(readable)),
        ...limited([...ENTER_FILE_TREE, ...command], dataBytes),
      ]);
    case "network-namespace":
      return endedByKernel([...UNSHARE_NETWORK, ...firstProcess(), ...limited(command, dataBytes)]);
    case "limits":
      return endedByWatcher(limited(command, dataBytes));
    case "none":
      return process.platform === "win32" ? command : endedByWatcher(command);
  }
}

/** Shells set them; the environment is to be empty. */
const UNSET = "unset PWD OLDPWD";

/** A command line that runs `script` with `args` as its "$@". */
function shell(script: readonly string[], args: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", [UNSET, ...script].join("\n"), "sh", ...args];
}

const BY_KERNEL =
  // An agent that ended before the signal was asked for sends none.
  `exec setpriv --pdeathsig KILL /bin/sh -c '${UNSET}; [ "$PPID" = "$0" ] || exit; exec "$@"' "$@"`;

/**
 * The command ends when the agent ends, however busy it is, by the kernel's parent-death signal: bubblewrap
 * asks for it by itself, others by `setpriv` of util-linux. The kernel sends it when the thread ends that
 * started the process. On Windows libuv puts children into a job object, which does the same.
 */
function endedByKernel(command: readonly string[]): readonly string[] {
  return shell([BY_KERNEL], [String(process.pid), ...command]);
}

/** The same; where there is no `setpriv`, by a shell that looks for the agent once a second. */
function endedByWatcher(command: readonly string[]): readonly string[] {
  const script = [
    `if setpriv --pdeathsig KILL true 2>/dev/null; then ${BY_KERNEL}; fi`,
    "agent=$1",
    "shift",
    '(while kill -0 $$; do kill -0 "$agent" || kill -KILL $$; sleep 1; done) </dev/null >/dev/null 2>&1 &',
    'exec "$@"',
  ];
  return shell(script, [String(process.pid), ...command]);
}

/** One limit per call: dash takes no more. One that the system refuses is left out. */
function limited(command: readonly string[], dataBytes: number): readonly string[] {
  const script = [
    "exec 3>&2 2>/dev/null",
    "ulimit -c 0",
    "ulimit -f 0",
    `ulimit -n ${DESCRIPTORS}`,
    `ulimit -s ${STACK_KIB}`,
    `ulimit -d ${Math.ceil(dataBytes / KIB)}`,
    'exec "$@" 2>&3 3>&-',
  ];
  return shell(script, command);
}

/** Of its own: network (without address, route or listener), processes, shared memory. */
const OWN_NETWORK_AND_PROCESSES = ["--net", "--ipc", "--pid", "--kill-child"];
const UNSHARE_NETWORK = ["unshare", "--user", "--map-current-user", ...OWN_NETWORK_AND_PROCESSES];

/**
 * The file system as well. The first process may mount, as root of its own user namespace; what it runs
 * is in a further one, as another user: without capabilities, and unable to leave its root folder.
 */
const UNSHARE_FILES = [
  ...["unshare", "--user", "--map-root-user", "--mount"],
  ...OWN_NETWORK_AND_PROCESSES,
];
/** Where the tree of files is put together. Nothing that a process may read lies here. */
const TREE = "/sys";
const NOBODY = 65534;
const ENTER_FILE_TREE = [
  ...["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`],
  ...[`--root=${TREE}`, "--wd=/"],
];

/**
 * The shell that is the first process of a process namespace. It stays: the first process cannot end
 * itself by a signal, and all others end with it.
 */
function firstProcess(setUp: readonly string[] = []): readonly string[] {
  const script = [
    ...setUp,
    // A shell says on its standard error what was killed; only a subshell's redirection leaves it its own.
    "exec 3>&2 2>/dev/null",
    '(exec "$@" 2>&3 3>&-)',
    "exit $?",
  ];
  return shell(script, []);
}

/** Puts what the process needs below `TREE`, read-only. */
function fileTree(readable: readonly string[]): readonly string[] {
  const programs = neededByNode();
  const mounts = withoutNested([...programs, ...readable].filter(existsSync)).map((path) => {
    const isFolder = statSync(path).isDirectory();
    const isProgram = programs.includes(path) || path.endsWith(".node");
    // A mount below a folder cannot be left out in a user namespace; such a one keeps its own options.
    const options = `${isFolder ? "rbind" : "bind"},ro,nosuid,nodev${isProgram ? "" : ",noexec"}`;
    return { path, isFolder, options };
  });
  const folders = mounts.map(({ path, isFolder }) => TREE + (isFolder ? path : dirname(path)));
  const files = mounts.filter(({ isFolder }) => !isFolder).map(({ path }) => TREE + path);
  const lines = mounts.map(
    ({ path, options }) => `${fstabField(path)} ${fstabField(TREE + path)} none ${options} 0 0\n`,
  );
  const table = `${TREE}/fstab`;
  return [
    "set -e",
    `mount -t tmpfs -o mode=755,size=1m tmpfs ${TREE}`,
    `mkdir -p ${TREE}/proc ${folders.map(quoted).join(" ")}`,
    ...files.map((path) => `: >${quoted(path)}`),
    `printf %s ${quoted(lines.join(""))} >${table}`,
    `mount -a -T ${table}`,
    `rm ${table}`,
    // Node reads its own memory's size there. Where a container covers parts of /proc, only the second
    // half of it may be mounted; without any, RLIMIT_DATA alone bounds the memory.
    `mount -t proc -o ro,subset=pid proc ${TREE}/proc 2>/dev/null || mount -t proc -o ro proc ${TREE}/proc 2>/dev/null || :`,
    `mount -o remount,bind,ro,nosuid,nodev ${TREE}`,
    "set +e",
  ];
}

/** Paths that lie in no other of them, in order. */
function withoutNested(paths: readonly string[]): readonly string[] {
  const sorted = [...new Set(paths)].sort();
  return sorted.filter((path) => !sorted.some((other) => path.startsWith(`${other}/`)));
}

/** A word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A field of a table of mounts; see fstab(5). */
function fstabField(path: string): string {
  return path.replaceAll(/[ \t\n\\]/g, (character) => {
    return `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}

function bubblewrap(readable: readonly string[]): readonly string[] {
  // A folder before what lies in it.
  const paths = [...new Set([...neededByNode(), ...readable])].sort();
  return [
    // For root, bubblewrap leaves all capabilities unless it is told to take them.
    ...["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL"],
    ...paths.flatMap((path) => ["--ro-bind-try", path, path]),
    // Node reads its own memory's size there; it shows only the processes of the namespace. Were it
    // writable, root could change settings of the kernel in it, also without capabilities.
    ...["--proc", "/proc", "--remount-ro", "/proc", "--remount-ro", "/", "--chdir", "/"],
  ];
}

let needed: readonly string[] | undefined;

/** Node and the libraries that it needs, by the paths that the system's loader opened. */
function neededByNode(): readonly string[] {
  needed ??= readNeededByNode();
  return needed;
}

function readNeededByNode(): readonly string[] {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const { excludeNetwork } = report;
  // It would look up names of hosts.
  report.excludeNetwork = true;
  const { sharedObjects } = report.getReport() as { readonly sharedObjects?: readonly string[] };
  report.excludeNetwork = excludeNetwork;
  return [process.execPath, ...(sharedObjects ?? []), "/etc/ld.so.cache"].filter(
    (path) => path.startsWith("/") && existsSync(path),
  );
}
