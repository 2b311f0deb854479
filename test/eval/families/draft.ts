import type { Task } from "../task.ts";

/** A task before it is numbered. */
export type Draft = Omit<Task, "id" | "family">;
