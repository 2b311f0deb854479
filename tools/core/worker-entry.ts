/** What runs in each thread of the pool: loads the module of a task and calls its handler. */
import { nowMs, type TaskHandler, type WorkerTask } from "./worker-pool.ts";

export default async function runTask({ module, input, startedAt }: WorkerTask): Promise<unknown> {
  const { default: handle } = (await import(module)) as { default: TaskHandler<unknown, unknown> };
  startedAt[0] = nowMs();
  return handle(input);
}
