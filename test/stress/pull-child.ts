/**
 * One pull in a process of its own, which may be killed: `node pull-child.ts STORE URL NAME PIECE COUNT [unchecked]`.
 * The file COUNT always says how many bytes of ranges it has received.
 */
import { openSync, writeSync } from "node:fs";
import type { HttpGet } from "../../inference/store/http.ts";
import { ModelStore } from "../../inference/store/model-store.ts";
import { pullModel } from "../../inference/store/pull.ts";
import { StreamClient } from "../../tools/index.ts";

const [folder = "", url = "", name = "", piece = "", count = "", unchecked] = process.argv.slice(2);
const store = new ModelStore(folder);
// The disk is found to be full while it is written, and not before.
if (unchecked !== undefined) store.freeBytes = () => Number.MAX_SAFE_INTEGER;
await using client = new StreamClient({ trustedHosts: [new URL(url).host] });
const counter = openSync(count, "w");
let received = 0;
const get: HttpGet = async (request) => {
  const response = await client.get(request);
  if (request.headers["range"] === undefined) return response;
  return {
    ...response,
    read: (sink) =>
      response.read((chunk) => {
        received += chunk.byteLength;
        writeSync(counter, String(received), 0);
        return sink(chunk);
      }),
  };
};
try {
  const { receivedBytes } = await pullModel(name, {
    store,
    get,
    endpoint: url,
    pieceBytes: Number(piece),
    retryMs: 5,
  });
  console.log(JSON.stringify({ receivedBytes }));
} catch (error) {
  const { code = "", message } = error as Error & { code?: string };
  console.log(JSON.stringify({ code, message }));
}
