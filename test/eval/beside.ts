/** Tasks with a server and with the model here, one after the other: how many give the same ids. */
import type { HarmonyModel, RemoteModel } from "../../runtime/index.ts";
import { createPythonTool } from "../../tools/index.ts";
import {
  type Explained,
  explain,
  firstDifference,
  type Generation,
  recorded,
} from "./agreement.ts";
import { runTask, type Transcript } from "./run-task.ts";
import type { Task } from "./task.ts";

/** A task whose ids are not the same, and the texts of the two ids. */
export type OtherTask = Pick<Explained, "gapHere" | "gapThere"> & {
  readonly id: string;
  /** Ids before the first that differs. */
  readonly place: number;
  readonly before: string;
  readonly here: string | null;
  readonly there: string | null;
};

export type BesideSummary = {
  readonly tasks: number;
  readonly same: number;
  /** Ids that were sampled here. */
  readonly ids: number;
  readonly others: readonly OtherTask[];
};

/** Text before a difference, in ids. */
const SHOWN_IDS = 12;

export class Beside implements AsyncDisposable {
  readonly #local: HarmonyModel;
  readonly #remote: RemoteModel;
  readonly #others: OtherTask[] = [];
  /** One interpreter for each side: what one counts, like its cells, is in the prompts. */
  #pythons = { here: createPythonTool(), there: createPythonTool() };
  #tasks = 0;
  #ids = 0;

  constructor(local: HarmonyModel, remote: RemoteModel) {
    this.#local = local;
    this.#remote = remote;
  }

  /** @returns what the server did */
  async run(task: Task): Promise<Transcript> {
    const here: Generation[] = [];
    const there: Generation[] = [];
    await runTask(task, { model: recorded(this.#local, here), python: this.#pythons.here });
    const transcript = await runTask(task, {
      model: recorded(this.#remote, there),
      python: this.#pythons.there,
    });
    this.#tasks++;
    this.#ids += here.reduce((sum, { ids }) => sum + ids.length, 0);
    const difference = firstDifference(here, there);
    if (difference !== null) {
      const told = await explain(difference, this.#local, this.#remote);
      this.#others.push(this.#shown(task.id, told));
      // One side may have run more cells than the other.
      await this[Symbol.asyncDispose]();
      this.#pythons = { here: createPythonTool(), there: createPythonTool() };
    }
    return transcript;
  }

  summary(): BesideSummary {
    const same = this.#tasks - this.#others.length;
    return { tasks: this.#tasks, same, ids: this.#ids, others: this.#others };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pythons.here.close(), this.#pythons.there.close()]);
  }

  #shown(id: string, { prefix, here, there, gapHere, gapThere }: Explained): OtherTask {
    const { tokenizer } = this.#local;
    const text = (one: number | null): string | null =>
      one === null ? null : tokenizer.decode([one]);
    const before = tokenizer.decode(prefix.slice(-SHOWN_IDS));
    const shown = { before, here: text(here), there: text(there) };
    return { id, place: prefix.length, ...shown, gapHere, gapThere };
  }
}
