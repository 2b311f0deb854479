/** What holds around sandboxed code on this machine: found by starting processes that try, not by guessing. */
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "../core/text.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { findIsolatedVm } from "./isolated-vm.ts";
import { findOsSandbox } from "./os-sandbox.ts";
import type { OsSandbox } from "./os-sandbox-command.ts";
import { descendantsOf } from "./process-tree.ts";
import type { ReportFindings, ReportSetup } from "./report-child.ts";
import { layersOf, type SandboxLayer, type SeenFromOutside } from "./report-layers.ts";
import { SupervisedChild } from "./supervised-child.ts";

export type SandboxReport = {
  /** Whether Python and isolated plugins can run here. */
  readonly available: boolean;
  /** Version of isolated-vm; null where it is not installed for this platform. */
  readonly isolatedVm: string | null;
  /** What the operating system puts around the process; null when it could not be found out. */
  readonly osSandbox: OsSandbox | null;
  readonly layers: readonly SandboxLayer[];
};

const MIB = 1024 * 1024;
const ANSWER_WITHIN_MS = 60_000;
const LIMITS = {
  residentBytes: 512 * MIB,
  dataBytes: 2500 * MIB,
  heapMb: 128,
  wasmPages: 256,
} as const;

/**
 * Starts two supervised processes, as for an isolate and as for a plugin without one, which try every
 * layer around them. Never rejects; takes about half a second.
 *
 * @param wanted  default: what Python and plugins get
 */
export async function sandboxReport(wanted?: OsSandbox): Promise<SandboxReport> {
  const binary = findIsolatedVm();
  const isolatedVm = binary.path === null ? null : binary.version;
  let osSandbox: OsSandbox | null = null;
  const targets = await openTargets();
  try {
    osSandbox = wanted ?? findOsSandbox();
    const setup = { ...targets.setup, forbiddenFile: process.execPath, nativeFile: binary.path };
    const [inner, plain] = await Promise.all([
      ask({ ...setup, addon: binary.path }, osSandbox),
      ask({ ...setup, addon: null }, osSandbox),
    ]);
    const { isolateProblem } = inner.findings;
    const isolate: SandboxLayer = {
      name: "isolate",
      enforced: isolateProblem === null,
      detail:
        binary.path === null
          ? `${binary.problem} Python and isolated plugins are off.`
          : isolateProblem === null
            ? `isolated-vm ${binary.version}: code has ECMAScript and wasm, and nothing else.`
            : `isolated-vm ${binary.version} does not work here: ${isolateProblem}.`,
    };
    const findings = [inner.findings, plain.findings];
    return {
      available: isolate.enforced,
      isolatedVm,
      osSandbox,
      layers: [isolate, ...layersOf(findings, inner.seen, osSandbox)],
    };
  } catch (error) {
    const detail = `A sandboxed process does not start: ${messageOf(error)}.`;
    const layers = [{ name: "process", enforced: false, detail }];
    return { available: false, isolatedVm, osSandbox, layers };
  } finally {
    targets.close();
  }
}

type Targets = {
  readonly setup: Pick<ReportSetup, "forbiddenTarget" | "unixSocket" | "tcpPort">;
  close(): void;
};

/** What the processes try to reach: a Unix socket and a TCP port of the agent, and a folder to write to. */
async function openTargets(): Promise<Targets> {
  let folder: string | null = null;
  try {
    folder = mkdtempSync(join(tmpdir(), "chorale-"));
  } catch {
    // Without a folder there is no socket to try.
  }
  const path =
    process.platform === "win32" ? `\\\\.\\pipe\\chorale-${process.pid}` : join(folder ?? "", "s");
  const unix = folder === null ? null : await listening({ path });
  const tcp = await listening({ host: "127.0.0.1", port: 0 });
  return {
    setup: {
      forbiddenTarget: join(folder ?? tmpdir(), "written"),
      unixSocket: unix === null ? null : path,
      tcpPort: tcp === null ? null : (tcp.address() as AddressInfo).port,
    },
    close() {
      unix?.close();
      tcp?.close();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Null where the system does not allow it. */
async function listening(where: ListenOptions): Promise<Server | null> {
  const { promise, resolve } = Promise.withResolvers<Server | null>();
  const server = createServer((socket) => socket.destroy());
  server.once("error", () => resolve(null));
  server.listen(where, () => resolve(server));
  server.unref();
  return promise;
}

type Answer = { readonly findings: ReportFindings; readonly seen: SeenFromOutside };

async function ask(setup: ReportSetup, osSandbox: OsSandbox): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<ReportFindings>();
  const child = new SupervisedChild(
    {
      entry: new URL("./report-child.ts", import.meta.url),
      setup,
      readable: [],
      addon: setup.addon ?? undefined,
      limits: LIMITS,
      osSandbox,
    },
    {
      onMessage: (message) => resolve(message as ReportFindings),
      onEnd: (reason) => reject(new Error(reason)),
    },
  );
  child.keepsAgentAlive(true);
  try {
    const late = `it did not answer within ${ANSWER_WITHIN_MS / 1000} s`;
    const findings = await withTimeout(ANSWER_WITHIN_MS, late, promise);
    return { findings, seen: lookAt(child.pid) };
  } finally {
    child.kill();
    await child.exited;
  }
}

/** A file of this package that the processes neither need nor may read. */
const UNNEEDED_FILE = fileURLToPath(new URL("../core/text.ts", import.meta.url));

const NOTHING_SEEN: SeenFromOutside = {
  hasDataLimit: false,
  hasOwnNetwork: false,
  hasOwnProcesses: false,
  hasOwnFiles: false,
};

/** What Linux says of the process; all false elsewhere. */
function lookAt(pid: number | undefined): SeenFromOutside {
  try {
    // The last of what contains it is the process itself.
    const inner = descendantsOf(pid ?? 0).at(-1) ?? pid;
    const isOwn = (namespace: string): boolean =>
      readlinkSync(`/proc/${inner}/ns/${namespace}`) !== readlinkSync(`/proc/self/ns/${namespace}`);
    const hasFile = (path: string): boolean => existsSync(`/proc/${inner}/root${path}`);
    return {
      hasDataLimit: /^Max data size\s+\d+/m.test(readFileSync(`/proc/${inner}/limits`, "utf8")),
      hasOwnNetwork: isOwn("net"),
      hasOwnProcesses: isOwn("pid"),
      hasOwnFiles: hasFile(process.execPath) && !hasFile(UNNEEDED_FILE),
    };
  } catch {
    return NOTHING_SEEN;
  }
}
