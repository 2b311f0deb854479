/** Prints ids that the embedded model samples: `node revectorized-ids.ts true|false`, a process for each way. */
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { demoModelPath } from "../../inference/index.ts";
import { openLocalEngine } from "../../inference/local/local-engine.ts";

const engine = await openLocalEngine(openCheckpoint(demoModelPath), {
  precision: "int8",
  contextLength: 1024,
  tuning: { revectorize: process.argv[2] === "true" },
});
const session = await engine.createSession();
await session.sync(Array.from({ length: 600 }, (_, i) => (i * 37) % 4096));
const ids: number[] = [];
const sampling = { temperature: 1, topP: 1, seed: 3 };
const options = { maxTokens: 200, stopIds: new Set<number>(), sampling };
for await (const id of session.generate(options)) ids.push(id);
console.log(JSON.stringify(ids));
await engine.close();
