/** What the sandbox stands on, on this machine: found out by starting one and trying, not by guessing. */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findIsolatedVm } from "./isolated-vm.ts";
import type { ReportFindings, ReportSetup } from "./report-child.ts";
import { SupervisedChild } from "./supervised-child.ts";

export type WallReport = {
  readonly name: string;
  readonly standing: boolean;
  /** What that means, as a sentence. */
  readonly detail: string;
};

export type SandboxReport = {
  /** Whether Python and isolated plugins can run here. */
  readonly available: boolean;
  /** Of isolated-vm; null where it is not installed for this platform. */
  readonly isolatedVm: string | null;
  readonly walls: readonly WallReport[];
};

const MIB = 1024 * 1024;
const ANSWER_WITHIN_MS = 60_000;
const LIMITS = {
  residentBytes: 512 * MIB,
  dataBytes: 2500 * MIB,
  heapMb: 128,
  wasmPages: 256,
} as const;

/** Starts a supervised process that tries its own walls. Never rejects; takes about half a second. */
export async function sandboxReport(): Promise<SandboxReport> {
  const binary = findIsolatedVm();
  const forbiddenTarget = join(tmpdir(), `chorale-report-${randomUUID()}`);
  const setup: ReportSetup = {
    addon: binary.path,
    forbiddenFile: process.execPath,
    forbiddenTarget,
  };
  try {
    const { findings, limits } = await ask(setup, binary.path === null ? [] : [binary.path]);
    const isolate: WallReport = {
      name: "isolate",
      standing: findings.isolateProblem === null,
      detail:
        binary.path === null
          ? `${binary.problem} Python and isolated plugins are off.`
          : findings.isolateProblem === null
            ? `isolated-vm ${binary.version}: code has ECMAScript and wasm, and nothing else.`
            : `isolated-vm ${binary.version} does not work here: ${findings.isolateProblem}.`,
    };
    return {
      available: isolate.standing,
      isolatedVm: binary.path === null ? null : binary.version,
      walls: [isolate, ...wallsOfProcess(findings, limits)],
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const detail = `A sandboxed process does not start: ${why}.`;
    return {
      available: false,
      isolatedVm: binary.path === null ? null : binary.version,
      walls: [{ name: "process", standing: false, detail }],
    };
  } finally {
    rmSync(forbiddenTarget, { force: true });
  }
}

async function ask(
  setup: ReportSetup,
  readable: readonly string[],
): Promise<{ findings: ReportFindings; limits: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<ReportFindings>();
  const child = new SupervisedChild(
    { entry: new URL("./report-child.ts", import.meta.url), setup, readable, limits: LIMITS },
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
    return { findings, limits: readLimits(child.pid) };
  } finally {
    clearTimeout(timer);
    child.kill();
    await child.exited;
  }
}

/** Linux's table of the process's limits; empty elsewhere. */
function readLimits(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/limits`, "utf8");
  } catch {
    return "";
  }
}

function wallsOfProcess(findings: ReportFindings, limits: string): readonly WallReport[] {
  const wall = (name: string, standing: boolean, held: string, open: string): WallReport => ({
    name,
    standing,
    detail: standing ? held : open,
  });
  const { environment, reading, writing, processes, threads, codeFromStrings, network } = findings;
  const dataLimit = /^Max data size\s+\d+/m.test(limits);
  return [
    wall("environment", environment, "It is empty.", "The process has variables of yours."),
    wall("reading", reading, "Only its own files can be read.", "Files of yours can be read."),
    wall("writing", writing, "Nothing can be written.", "Files can be written."),
    wall(
      "processes",
      processes && threads,
      "None can be started, nor threads.",
      "Processes or threads can be started.",
    ),
    wall(
      "code from strings",
      codeFromStrings,
      "None is compiled.",
      "It is compiled in the process around the isolate.",
    ),
    wall(
      "memory",
      true,
      dataLimit
        ? "Limited by the system, and watched."
        : "Watched: a process that takes too much is ended. This system has no limit for it.",
      "",
    ),
    wall(
      "network",
      network,
      "The process has a network of its own, with nothing in it.",
      "Not separated by the system, which lets this user make no network namespace: the isolate alone keeps code from it.",
    ),
  ];
}
