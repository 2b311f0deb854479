/**
 * `npm run bench -- pull [--mib N] [--rounds N]`: how fast a file comes from a server on this machine, by `pull` (ranges
 * over several connections, journal, SHA-256) and by curl, in turn. Without curl its figures are null.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ModelStore } from "../../inference/store/model-store.ts";
import { receiveFile } from "../../inference/store/receive-file.ts";
import { StreamClient } from "../../tools/index.ts";
import type { Bench } from "./bench.ts";
import { median } from "./median.ts";
import { sha256OfContent } from "./pull-content.ts";

export const bench: Bench = async (args) => {
  const options = { mib: { type: "string" }, rounds: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const bytes = Number(values.mib ?? 2048) * 2 ** 20;
  const rounds = Number(values.rounds ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "chorale-bench-pull-"));
  const entry = join(import.meta.dirname, "pull-server.ts");
  const server = spawn(process.execPath, [entry, String(bytes)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = (await once(server.stdout, "data")) as [Buffer];
    const url = new URL(`http://127.0.0.1:${port.toString().trim()}/file`);
    const sha256 = sha256OfContent(bytes);
    const seconds = { curl: [] as number[], pull: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      console.error(`round ${round + 1} of ${rounds}`);
      const byCurl = curl(url, join(folder, "curl"));
      if (byCurl !== null) seconds.curl.push(byCurl);
      seconds.pull.push(await pull(url, { sha256, bytes }, join(folder, "models")));
    }
    const mbPerSecond = (list: readonly number[]): number | null =>
      list.length === 0 ? null : Math.round(bytes / 1e6 / median(list));
    const figures = { curl: mbPerSecond(seconds.curl), pull: mbPerSecond(seconds.pull) };
    const share = figures.curl === null ? null : (figures.pull ?? 0) / figures.curl;
    return {
      mib: bytes / 2 ** 20,
      rounds,
      curl_mb_per_s: figures.curl,
      pull_mb_per_s: figures.pull,
      share_of_curl: share === null ? null : Number(share.toFixed(2)),
    };
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** @returns seconds; null where there is no curl */
function curl(url: URL, path: string): number | null {
  const startedAt = performance.now();
  try {
    execFileSync("curl", ["--silent", "--fail", "--output", path, url.href]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(path);
  return seconds;
}

async function pull(
  url: URL,
  file: { readonly sha256: string; readonly bytes: number },
  folder: string,
): Promise<number> {
  await using client = new StreamClient({ trustedHosts: [url.host] });
  const store = new ModelStore(folder);
  store.prepare();
  const startedAt = performance.now();
  await receiveFile(
    store,
    { name: "file", url, ...file },
    {
      get: (request) => client.get(request),
      credentials: undefined,
      signal: new AbortController().signal,
      onNote: (sentence) => console.error(sentence),
    },
    { onProgress: () => {} },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  rmSync(folder, { recursive: true });
  return seconds;
}
