/** From what was tried and seen to sentences about each layer. */
import type { OsSandbox } from "./os-sandbox-command.ts";
import type { ReportFindings } from "./report-child.ts";

export type SandboxLayer = {
  readonly name: string;
  readonly enforced: boolean;
  /** What that means, as a sentence. */
  readonly detail: string;
};

/** What Linux says of a supervised process. */
export type SeenFromOutside = {
  readonly hasDataLimit: boolean;
  readonly hasOwnNetwork: boolean;
  /** It sees no process but its own. */
  readonly hasOwnProcesses: boolean;
  /** Its file system is not the agent's. */
  readonly hasOwnFiles: boolean;
};

/** @param findings  of every process that tried: a layer is enforced when it held all of them */
export function layersOf(
  findings: readonly ReportFindings[],
  seen: SeenFromOutside,
  osSandbox: OsSandbox,
): readonly SandboxLayer[] {
  const held = (
    key: Exclude<keyof ReportFindings, "isolateProblem" | "unixSockets" | "seesItsMemory">,
  ): boolean => findings.every((one) => one[key]);
  const layer = (name: string, enforced: boolean, yes: string, no: string): SandboxLayer => ({
    name,
    enforced,
    detail: enforced ? yes : no,
  });
  const canWatch = findings.every(({ seesItsMemory }) => seesItsMemory);
  const means = MEANS[osSandbox];
  return [
    layer(
      "environment",
      held("environment"),
      "It is empty.",
      "The process has variables of yours.",
    ),
    layer(
      "reading",
      held("reading"),
      seen.hasOwnFiles
        ? `Only its own files can be read; there are no others in its file system (${means}).`
        : "Only its own files can be read, by Node's permission model.",
      "Files of yours can be read.",
    ),
    layer("writing", held("writing"), "Nothing can be written.", "Files can be written."),
    layer(
      "processes",
      held("processes") && held("threads"),
      "None can be started, nor threads.",
      "Processes or threads can be started.",
    ),
    layer(
      "native code",
      held("nativeCode"),
      "None is loaded but isolated-vm.",
      "Native files can be loaded.",
    ),
    layer(
      "code from strings",
      held("codeFromStrings"),
      "None is compiled.",
      "It is compiled in the process around the isolate.",
    ),
    layer(
      "memory",
      canWatch || seen.hasDataLimit,
      [
        ...(seen.hasDataLimit ? ["Limited by the system."] : []),
        ...(canWatch ? ["Watched: a process that takes too much is ended."] : []),
      ].join(" "),
      "Neither limited nor watched.",
    ),
    layer(
      "network",
      held("network") && seen.hasOwnNetwork,
      `The process has a network of its own, with nothing in it (${means}).`,
      `${NOT_SEPARATED}: the isolate alone keeps code from it.`,
    ),
    layer(
      "unix sockets",
      findings.every(({ unixSockets }) => unixSockets ?? seen.hasOwnFiles),
      `None of yours can be opened (${means}).`,
      `Those that you may open (of a container engine, a session bus, an SSH agent) the process may open too; the isolate alone keeps code from them.`,
    ),
    layer(
      "signals",
      seen.hasOwnProcesses,
      `The process sees no other than its own (${means}).`,
      `${NOT_SEPARATED}: the isolate alone keeps code from signalling your processes.`,
    ),
  ];
}

const MEANS: Readonly<Record<OsSandbox, string>> = {
  bubblewrap: "bubblewrap",
  namespaces: "namespaces of Linux",
  "network-namespace": "namespaces of Linux",
  limits: "outside of Chorale",
  none: "outside of Chorale",
};

const NOT_SEPARATED =
  process.platform === "linux"
    ? "Not separated by the system, which lets this user make no namespaces (bubblewrap, where it is installed with the right to, would)"
    : "Not separated by the system, which has no such means";
