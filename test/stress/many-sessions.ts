/** Sessions of the embedded model, opened and closed one after the other, some of them several at a time. */
import { openModel } from "../../inference/index.ts";
import { Random } from "../eval/random.ts";

export type SessionsReport = {
  readonly sessions: number;
  /** Resident, after the 50th session and the largest and smallest after it. */
  readonly rss_mb: { readonly early: number; readonly least: number; readonly most: number };
  /** Of keys and values, at the end: nothing is open then. */
  readonly cache_mb: number;
};

const WARM_UP = 50;

export async function stressSessions(options: {
  readonly sessions: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}): Promise<SessionsReport> {
  const { sessions, seed, onProgress } = options;
  const random = new Random(seed, "sessions");
  const { engine } = await openModel(undefined);
  const rss: number[] = [];
  const sampling = { temperature: 1, topP: 1, seed };
  for (let done = 0; done < sessions; ) {
    const together = random.int(1, 3);
    await Promise.all(
      Array.from({ length: together }, async () => {
        const session = await engine.createSession();
        const length = random.int(1, 400);
        await session.sync(Array.from({ length }, () => random.int(0, engine.vocabSize - 1)));
        const wanted = { maxTokens: random.int(0, 3), stopIds: new Set<number>(), sampling };
        for await (const _ of session.generate(wanted));
        await session.close();
      }),
    );
    done += together;
    if (done > WARM_UP) rss.push(process.memoryUsage.rss() / 1e6);
    onProgress?.(done);
  }
  const cache = engine.statistics?.residentBytes["cache"] ?? 0;
  await engine.close();
  const [early = 0] = rss;
  return {
    sessions,
    rss_mb: {
      early: Math.round(early),
      least: Math.round(Math.min(...rss)),
      most: Math.round(Math.max(...rss)),
    },
    cache_mb: Math.round(cache / 1e6),
  };
}
