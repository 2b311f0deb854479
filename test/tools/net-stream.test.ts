/** Answers as streams, against a real server on the loopback interface. */
import { createServer, type RequestListener } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { AddressRefusedError, NetError } from "../../tools/net/errors.ts";
import { StreamClient, type StreamResponse } from "../../tools/net/stream-client.ts";

async function serve(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return new URL(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`);
}

function get(
  url: URL,
  { signal, trusted = [url.host] }: { signal?: AbortSignal; trusted?: string[] } = {},
): Promise<StreamResponse> {
  const client = new StreamClient({ trustedHosts: trusted });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return client.get({
    url,
    headers: { "x-a": "b" },
    signal: signal ?? AbortSignal.timeout(20_000),
  });
}

const CONTENT = Buffer.alloc(1 << 20, "0123456789");

describe("an answer", () => {
  test("comes chunk by chunk, and not before the one before was taken", async () => {
    const url = await serve(({ headers }, response) => {
      response.writeHead(206, { "X-Seen": headers["x-a"] }).end(CONTENT);
    });
    const response = await get(url);
    expect([response.status, response.header("x-seen"), response.header("y")]).toEqual([
      206,
      "b",
      null,
    ]);
    const chunks: Uint8Array[] = [];
    let running = 0;
    await response.read(async (chunk) => {
      expect(++running).toBe(1);
      await new Promise((done) => setImmediate(done));
      chunks.push(chunk);
      running--;
      return true;
    });
    expect(Buffer.concat(chunks).equals(CONTENT)).toBe(true);
  });

  test("ends where its reader has enough, also later", async () => {
    const url = await serve((_, response) => {
      response.end(CONTENT);
    });
    for (const enough of [false, Promise.resolve(false)]) {
      let chunks = 0;
      await (await get(url)).read(() => {
        chunks++;
        return enough;
      });
      expect(chunks).toBe(1);
    }
  });

  test("ends with what its reader throws, at once or later", async () => {
    const url = await serve((_, response) => {
      response.end(CONTENT);
    });
    const now = (await get(url)).read(() => {
      throw new Error("full");
    });
    await expect(now).rejects.toThrow("full");
    const later = (await get(url)).read(async () => {
      throw new Error("full later");
    });
    await expect(later).rejects.toThrow("full later");
  });

  test("that breaks off is an error, also before it is read", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": CONTENT.byteLength });
      response.write(CONTENT.subarray(0, 1000), () => response.destroy());
    });
    await expect((await get(url)).read(() => true)).rejects.toThrow(NetError);
    const late = await get(url);
    late.cancel();
    await expect(late.read(() => true)).rejects.toThrow(NetError);
  });

  test("is given up with its signal", async () => {
    const url = await serve((_, response) => {
      response.write(CONTENT);
    });
    const stop = new AbortController();
    const response = await get(url, { signal: stop.signal });
    const reading = response.read(() => {
      stop.abort();
      return true;
    });
    await expect(reading).rejects.toThrow(NetError);
  });
});

test("hosts of this machine are asked only where they are trusted, with their port", async () => {
  const url = await serve((_, response) => {
    response.end("x");
  });
  for (const trusted of [[], ["127.0.0.1"], ["127.0.0.1:1"], ["localhost"]]) {
    await expect(get(url, { trusted })).rejects.toThrow(AddressRefusedError);
  }
  expect((await get(url)).status).toBe(200);
});
