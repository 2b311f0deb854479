/**
 * What Python and plugins run in: a process of its own for code that is not trusted, supervised by the
 * agent, with an isolate inside for that code. Two layers, neither of which relies on the other:
 *
 * - the isolate (isolated-vm) has ECMAScript and WebAssembly and no way to anything else;
 * - the process has no environment, no file but its own, no processes, bounded memory and time, and where
 *   the system allows it no network, no other processes in sight, and a file system of its own.
 *
 * In the agent: `SupervisedChild` starts and ends such a process, `gracefulKill` bounds a call. In the
 * process: `connectToParent` (`ipc-client.ts`) and `loadIsolatedVm` (`isolated-vm.ts`), by their own
 * modules, which import nothing that the process could not read. Only primitives cross between isolate and
 * process, only framed, bounded messages between process and agent.
 */

export { gracefulKill } from "./graceful-kill.ts";
export { findIsolatedVm } from "./isolated-vm.ts";
export type { ProcessLimits } from "./launch.ts";
export { missingPackage } from "./optional-package.ts";
export { findOsSandbox } from "./os-sandbox.ts";
export type { OsSandbox } from "./os-sandbox-command.ts";
export { descendantsOf } from "./process-tree.ts";
export { type SandboxReport, sandboxReport } from "./report.ts";
export type { SandboxLayer } from "./report-layers.ts";
export {
  SupervisedChild,
  type SupervisedChildOptions,
} from "./supervised-child.ts";
