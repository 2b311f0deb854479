/** Large files in parts, against a real server on the loopback interface. */
import { createServer, type RequestListener } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Download, download, HttpStatusError, isBeyondEnd } from "../../tools/net/index.ts";

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/`;
}

const get = (url: string, offset = 0, trustsHost = true): Promise<Download> =>
  download({ url, offset, trustsHost, signal: AbortSignal.timeout(20_000) });

async function contentOf({ body, close }: Download): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  await close();
  return Buffer.concat(chunks).toString();
}

describe("a download", () => {
  test("begins where it is told to, if the server can do that", async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve(({ headers }, response) => {
      asked.push(headers.range, headers["accept-encoding"]?.toString());
      const from = headers.range === undefined ? 0 : 4;
      response.writeHead(from === 0 ? 200 : 206, {
        ...(from > 0 && { "content-range": "bytes 4-9/10" }),
        "content-length": 10 - from,
      });
      response.end("0123456789".slice(from));
    });
    const whole = await get(url);
    expect([whole.start, whole.totalBytes, await contentOf(whole)]).toEqual([0, 10, "0123456789"]);
    const rest = await get(url, 4);
    expect([rest.start, rest.totalBytes, await contentOf(rest)]).toEqual([4, 10, "456789"]);
    expect(asked).toEqual([undefined, "identity", "bytes=4-", "identity"]);
  });

  test("takes the whole from a server that does not know parts", async () => {
    const rest = await get(await serve((_, response) => response.end("whole")), 4);
    expect([rest.start, await contentOf(rest)]).toEqual([0, "whole"]);
  });

  test.each([
    ["another part than was asked for", 206, { "content-range": "bytes 2-9/10" }, 4],
    ["a part that does not say which", 206, {}, 4],
    ["a part that was not asked for", 206, { "content-range": "bytes 0-9/10" }, 0],
    ["not found", 404, {}, 0],
    ["no content", 204, {}, 0],
  ])("refuses %s", async (_, status, headers, offset) => {
    const url = await serve((_request, response) => {
      response.writeHead(status, headers);
      response.end(status === 204 ? undefined : "x");
    });
    const error = await get(url, offset).catch((caught) => caught);
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(error).toMatchObject({ code: "CHORALE_NET_STATUS", status });
    expect(isBeyondEnd(error)).toBe(false);
  });

  test("knows when it has asked beyond the end", async () => {
    const url = await serve((_, response) => response.writeHead(416).end());
    expect(isBeyondEnd(await get(url, 99).catch((caught) => caught))).toBe(true);
  });

  test("follows redirects, and not without end", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/") response.writeHead(302, { location: "/file" }).end();
      else if (request.url === "/file") response.end("found");
      else response.writeHead(302, { location: "/again" }).end();
    });
    expect(await contentOf(await get(url))).toBe("found");
    await expect(get(`${url}again`)).rejects.toMatchObject({ code: "CHORALE_NET_REDIRECTS" });
  });

  test("connects inside the own network only to the host that the user named", async () => {
    const inside = await serve((_, response) => response.end("secret"));
    await expect(get(inside, 0, false)).rejects.toMatchObject({ code: "CHORALE_NET_ADDRESS" });
    const leads = await serve((_, response) => response.writeHead(302, { location: inside }).end());
    await expect(get(leads)).rejects.toMatchObject({ code: "CHORALE_NET_ADDRESS" });
    const elsewhere = await serve((_, response) =>
      response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    );
    await expect(get(elsewhere)).rejects.toMatchObject({ code: "CHORALE_NET_URL" });
    await expect(get("ftp://127.0.0.1/")).rejects.toMatchObject({ code: "CHORALE_NET_URL" });
  });

  test("that breaks off, or is stopped, says so", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": 10 });
      response.write("01234", () => setTimeout(() => response.destroy(), 20));
    });
    await expect(get(url).then(contentOf)).rejects.toMatchObject({
      code: "CHORALE_NET_UNREACHABLE",
    });
    const abort = new AbortController();
    const silent = await serve((_, response) => void response.write("0"));
    const begun = await download({
      url: silent,
      offset: 0,
      trustsHost: true,
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 20);
    await expect(contentOf(begun)).rejects.toMatchObject({ code: "CHORALE_NET_ABORTED" });
  });
});
