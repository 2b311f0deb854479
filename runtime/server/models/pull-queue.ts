/** The progress of a pull as clients of Ollama read it. */
import type { PullProgress as Told } from "../../../inference/index.ts";
import type { PullProgress } from "./model-source.ts";

/** What a slow reader has not taken is replaced by what is known now. */
export class PullQueue implements AsyncIterable<PullProgress> {
  readonly #lines: PullProgress[] = [];
  #isOver = false;
  #filled = Promise.withResolvers<void>();

  push(progress: Told): void {
    const line = lineOf(progress);
    if (line === null) return;
    const last = this.#lines.at(-1);
    if (last?.status === line.status) this.#lines.pop();
    this.#lines.push(line);
    this.#filled.resolve();
  }

  end(): void {
    this.#isOver = true;
    this.#filled.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PullProgress, void, void> {
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        yield line;
      }
      if (this.#isOver) return;
      this.#filled = Promise.withResolvers();
      await this.#filled.promise;
    }
  }
}

/** null: told at the end. */
function lineOf(progress: Told): PullProgress | null {
  switch (progress.state) {
    case "manifest":
      return { status: "pulling manifest" };
    case "receiving": {
      const { file, digest, total, completed } = progress;
      const name = digest?.slice(0, 12) ?? file;
      return {
        status: `pulling ${name}`,
        ...(digest !== null && { digest: `sha256:${digest}` }),
        total,
        completed,
      };
    }
    case "verifying":
      return { status: "verifying sha256 digest" };
    case "writing":
      return { status: "writing manifest" };
    case "done":
      return null;
  }
}
