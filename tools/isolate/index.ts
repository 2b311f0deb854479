/**
 * What Python and plugins stand on: a process of its own for code that is not trusted, supervised by the
 * agent, with an isolate inside for that code. Two walls, neither of which relies on the other:
 *
 * - the isolate (isolated-vm) has ECMAScript and WebAssembly and no way to anything else;
 * - the process has no environment, no file but its own, no processes, bounded memory and time, and where
 *   the system allows it no network, no other processes in sight, and no file system around its files.
 *
 * In the agent: `SupervisedChild` starts and ends such a process, `gracefulKill` bounds a call. In the process:
 * `connectToParent` on its main thread, which runs nothing but that, and `loadIsolatedVm` for the isolate.
 * Only primitives cross between isolate and process, only framed, bounded messages between process and
 * agent.
 */

export { MESSAGE_LIMIT_BYTES } from "./frames.ts";
export { type GracefulKill, type GracefulKillSteps, gracefulKill } from "./graceful-kill.ts";
export { connectToParent, type IpcClient, type IpcHandlers } from "./ipc-client.ts";
export { findIsolatedVm, type IsolatedVmBinary, type Ivm, loadIsolatedVm } from "./isolated-vm.ts";
export type { LaunchOptions, ProcessLimits } from "./launch.ts";
export { missingPackage } from "./optional-package.ts";
export { findOsSandbox, type OsSandbox } from "./os-sandbox.ts";
export { descendantsOf } from "./process-tree.ts";
export { type SandboxLayer, type SandboxReport, sandboxReport } from "./report.ts";
export {
  type ChildHandlers,
  SupervisedChild,
  type SupervisedChildOptions,
} from "./supervised-child.ts";
