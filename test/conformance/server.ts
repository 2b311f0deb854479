/**
 * Area `server`: recorded requests of real clients are sent to a server of ours, whose model says what the recorded
 * answer says; what a client needs of the answer has to be there.
 */
import { basename } from "node:path";
import type { CaseResult } from "./case-result.ts";
import { readAnswer } from "./server/answer.ts";
import { readRecording } from "./server/recording.ts";
import { replay } from "./server/replay.ts";

export async function* run(paths: readonly string[]): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const name = basename(path, ".json");
    const { exchanges } = readRecording(path);
    for await (const { exchange, dialect, received, problems } of replay(exchanges)) {
      const { method, path: url } = exchange.request;
      yield {
        id: `${name} ${exchanges.indexOf(exchange) + 1}: ${method} ${url}`,
        pass: problems.length === 0,
        got: { problems, status: received.status, answer: readAnswer(dialect, received) },
        expected: "what the client needs of the recorded answer",
      };
    }
  }
}
