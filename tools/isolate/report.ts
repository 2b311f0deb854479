/** What the sandbox stands on, on this machine: found out by starting one and trying, not by guessing. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findIsolatedVm } from "./isolated-vm.ts";
import { findOsSandbox, type OsSandbox } from "./os-sandbox.ts";
import { descendantsOf } from "./process-tree.ts";
import type { ReportFindings, ReportSetup } from "./report-child.ts";
import { SupervisedChild } from "./supervised-child.ts";

export type SandboxLayer = {
  readonly name: string;
  readonly enforced: boolean;
  /** What that means, as a sentence. */
  readonly detail: string;
};

export type SandboxReport = {
  /** Whether Python and isolated plugins can run here. */
  readonly available: boolean;
  /** Of isolated-vm; null where it is not installed for this platform. */
  readonly isolatedVm: string | null;
  /** What the system puts around the process. */
  readonly osSandbox: OsSandbox;
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
 * Starts a supervised process that tries its own layers. Never rejects; takes about half a second.
 *
 * @param osSandbox  default: what Python and plugins get
 */
export async function sandboxReport(
  osSandbox: OsSandbox = findOsSandbox(),
): Promise<SandboxReport> {
  const binary = findIsolatedVm();
  const forbiddenTarget = join(tmpdir(), `chorale-report-${randomUUID()}`);
  const isolatedVm = binary.path === null ? null : binary.version;
  try {
    const setup: ReportSetup = {
      addon: binary.path,
      forbiddenFile: process.execPath,
      forbiddenTarget,
    };
    const readable = binary.path === null ? [] : [binary.path];
    const { findings, seen } = await ask(setup, readable, osSandbox);
    const isolate: SandboxLayer = {
      name: "isolate",
      enforced: findings.isolateProblem === null,
      detail:
        binary.path === null
          ? `${binary.problem} Python and isolated plugins are off.`
          : findings.isolateProblem === null
            ? `isolated-vm ${binary.version}: code has ECMAScript and wasm, and nothing else.`
            : `isolated-vm ${binary.version} does not work here: ${findings.isolateProblem}.`,
    };
    return {
      available: isolate.enforced,
      isolatedVm,
      osSandbox,
      layers: [isolate, ...layersOfProcess(findings, seen, osSandbox)],
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `A sandboxed process does not start: ${why}.`;
    return {
      available: false,
      isolatedVm,
      osSandbox,
      layers: [{ name: "process", enforced: false, detail }],
    };
  } finally {
    rmSync(forbiddenTarget, { force: true });
  }
}

async function ask(
  setup: ReportSetup,
  readable: readonly string[],
  osSandbox: OsSandbox,
): Promise<{ findings: ReportFindings; seen: SeenFromOutside }> {
  const { promise, resolve, reject } = Promise.withResolvers<ReportFindings>();
  const child = new SupervisedChild(
    {
      entry: new URL("./report-child.ts", import.meta.url),
      setup,
      readable,
      limits: LIMITS,
      osSandbox,
    },
    {
      onMessage: (message) => resolve(message as ReportFindings),
      onEnd: (reason) => reject(new Error(reason)),
    },
  );
  child.keepsAgentAlive(true);
  const late = new Error(`it did not answer within ${ANSWER_WITHIN_MS / 1000} s`);
  const timer = setTimeout(() => reject(late), ANSWER_WITHIN_MS);
  try {
    const findings = await promise;
    return { findings, seen: lookAt(child.pid) };
  } finally {
    clearTimeout(timer);
    child.kill();
    await child.exited;
  }
}

const FILE_IT_DOES_NOT_NEED = fileURLToPath(new URL("../index.ts", import.meta.url));

type SeenFromOutside = {
  readonly hasDataLimit: boolean;
  readonly hasOwnNetwork: boolean;
  /** It sees no process but its own. */
  readonly hasOwnProcesses: boolean;
  /** Its file system is not the agent's. */
  readonly hasOwnFiles: boolean;
};

/** What Linux says of the process; all false elsewhere. */
function lookAt(pid: number | undefined): SeenFromOutside {
  try {
    // The last of what confines it is the process itself.
    const inner = descendantsOf(pid ?? 0).at(-1) ?? pid;
    const isOwn = (namespace: string): boolean =>
      readlinkSync(`/proc/${inner}/ns/${namespace}`) !== readlinkSync(`/proc/self/ns/${namespace}`);
    const hasFile = (path: string): boolean => existsSync(`/proc/${inner}/root${path}`);
    return {
      hasDataLimit: /^Max data size\s+\d+/m.test(readFileSync(`/proc/${inner}/limits`, "utf8")),
      hasOwnNetwork: isOwn("net"),
      hasOwnProcesses: isOwn("pid"),
      hasOwnFiles: hasFile(process.execPath) && !hasFile(FILE_IT_DOES_NOT_NEED),
    };
  } catch {
    return {
      hasDataLimit: false,
      hasOwnNetwork: false,
      hasOwnProcesses: false,
      hasOwnFiles: false,
    };
  }
}

function layersOfProcess(
  findings: ReportFindings,
  { hasDataLimit, hasOwnNetwork, hasOwnProcesses, hasOwnFiles }: SeenFromOutside,
  osSandbox: OsSandbox,
): readonly SandboxLayer[] {
  const layer = (name: string, enforced: boolean, held: string, open: string): SandboxLayer => ({
    name,
    enforced,
    detail: enforced ? held : open,
  });
  const { environment, reading, writing, processes, threads, codeFromStrings, network } = findings;
  return [
    layer("environment", environment, "It is empty.", "The process has variables of yours."),
    layer(
      "reading",
      reading,
      hasOwnFiles
        ? "Only its own files can be read; there are no others in its file system."
        : "Only its own files can be read.",
      "Files of yours can be read.",
    ),
    layer("writing", writing, "Nothing can be written.", "Files can be written."),
    layer(
      "processes",
      processes && threads,
      "None can be started, nor threads.",
      "Processes or threads can be started.",
    ),
    layer(
      "code from strings",
      codeFromStrings,
      "None is compiled.",
      "It is compiled in the process around the isolate.",
    ),
    layer(
      "memory",
      true,
      hasDataLimit
        ? "Limited by the system, and watched."
        : "Watched: a process that takes too much is ended. This system has no limit for it.",
      "",
    ),
    layer(
      "network",
      network && hasOwnNetwork,
      `The process has a network of its own, with nothing in it (${MEANS[osSandbox]}).`,
      `${NOT_SEPARATED}: the isolate alone keeps code from it.`,
    ),
    layer(
      "signals",
      hasOwnProcesses,
      `The process sees no other than its own (${MEANS[osSandbox]}).`,
      `${NOT_SEPARATED}: the isolate alone keeps code from signalling your processes.`,
    ),
  ];
}

const MEANS: Readonly<Record<OsSandbox, string>> = {
  bubblewrap: "bubblewrap",
  namespaces: "namespaces of Linux",
  limits: "outside of Chorale",
  none: "outside of Chorale",
};

const NOT_SEPARATED =
  process.platform === "linux"
    ? "Not separated by the system, which lets this user make no namespaces (bubblewrap, where it is installed with the right to, would)"
    : "Not separated by the system, which has no such means";
