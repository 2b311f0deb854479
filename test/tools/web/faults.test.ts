/** Servers that do what they should not: each fault ends soon, with an error that says what it was. */
import {
  createSecureServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import { describe, expect, test } from "vitest";
import { createAuthority, createSelfSigned, daysFromNow } from "./certificates.ts";
import { codeOf, listen, openTestClient, type Site, serve, serveRaw, text } from "./loopback.ts";

const named = { purpose: "named by the user" } as const;
const HEAD = "HTTP/1.1 200 OK\r\n";
/** HTTP/2's code for a stream that its server ends because of a fault of its own. */
const INTERNAL_ERROR = 2;

/** Of one request to a server that sends what it is told, once for each connection. */
async function outcome(
  answer: string | ((socket: Socket) => void),
  maxBytes = 1000,
): Promise<string> {
  const site = await serveRaw((socket) => {
    if (typeof answer === "string") socket.end(answer);
    else answer(socket);
  });
  const client = openTestClient([site.port], { maxBytes, timeouts: { totalMs: 5_000 } });
  return resultOf(client.get(site.at("/"), named));
}

/** The code of what it fails with, or the page. */
async function resultOf(
  page: Promise<{ readonly status: number; readonly bytes: Uint8Array }>,
): Promise<string> {
  const code = await codeOf(page);
  if (code !== "none") return code;
  const { status, bytes } = await page;
  return `${status} ${text(bytes)}`;
}

/** Writes for as long as anyone reads. */
function endless(head: string, more: string): (socket: Socket) => void {
  return (socket) => {
    const send = (): void => {
      while (socket.write(more));
    };
    socket.on("drain", send);
    socket.write(head, send);
  };
}

describe("too slow:", () => {
  test.each<[string, (socket: Socket) => void]>([
    ["no answer", () => {}],
    ["half a head", (socket) => void socket.write("HTTP/1.1 200 OK\r\nconte")],
    ["no body", (socket) => void socket.write(`${HEAD}content-length: 5\r\n\r\n`)],
    [
      "a body that trickles",
      (socket) => {
        socket.write(`${HEAD}\r\n`);
        const timer = setInterval(() => socket.write("."), 10);
        socket.on("close", () => clearInterval(timer));
      },
    ],
    [
      "a head that trickles",
      (socket) => {
        socket.write(HEAD);
        const timer = setInterval(() => socket.write("x: y\r\n"), 10);
        socket.on("close", () => clearInterval(timer));
      },
    ],
  ])("%s", async (_, answer) => {
    const site = await serveRaw(answer);
    const client = openTestClient([site.port], { timeouts: { totalMs: 200 } });
    const page = client.get(site.at("/"), named);
    expect(await codeOf(page)).toBe("CHORALE_NET_TIMEOUT");
    await expect(page).rejects.toThrow("was given up: it took longer than 0.2 s.");
    // What took all of the time is not tried again.
    expect(site.asked.length).toBeLessThanOrEqual(1);
  });

  test("a name that is never resolved, a connection that is never taken", async () => {
    const deaf = openTestClient([80], {
      resolve: () => new Promise(() => {}),
      timeouts: { totalMs: 100 },
    });
    expect(await codeOf(deaf.get("http://site.test/", named))).toBe("CHORALE_NET_TIMEOUT");
  });

  test("the caller stops it", async () => {
    const abort = new AbortController();
    const site = await serveRaw(() => abort.abort());
    const page = openTestClient([site.port]).get(site.at("/"), { ...named, signal: abort.signal });
    expect(await codeOf(page)).toBe("CHORALE_NET_ABORTED");
    const before = openTestClient([site.port]).get(site.at("/"), {
      ...named,
      signal: AbortSignal.abort(),
    });
    expect(await codeOf(before)).toBe("CHORALE_NET_ABORTED");
    expect(site.asked.length).toBe(1);
  });
});

describe("a length that is wrong:", () => {
  test.each<[string, string | ((socket: Socket) => void), string]>([
    ["too much is announced", `${HEAD}content-length: 10\r\n\r\n01234`, "CHORALE_NET_INCOMPLETE"],
    ["too little is announced", `${HEAD}content-length: 3\r\n\r\n01234`, "200 012"],
    ["more than is accepted", `${HEAD}content-length: 1001\r\n\r\n`, "CHORALE_NET_TOO_LARGE"],
    [
      "more than there is",
      `${HEAD}content-length: ${"9".repeat(15)}\r\n\r\n`,
      "CHORALE_NET_TOO_LARGE",
    ],
    ["none, and endless", endless(`${HEAD}\r\n`, "x".repeat(1000)), "CHORALE_NET_TOO_LARGE"],
    [
      "chunked, and endless",
      endless(`${HEAD}transfer-encoding: chunked\r\n\r\n`, `64\r\n${"x".repeat(100)}\r\n`),
      "CHORALE_NET_TOO_LARGE",
    ],
    [
      "a chunk that ends early",
      `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n012`,
      "CHORALE_NET_INCOMPLETE",
    ],
    [
      "no last chunk",
      `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\n01234\r\n`,
      "CHORALE_NET_INCOMPLETE",
    ],
    [
      "a chunk that is none",
      `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n01234\r\n0\r\n\r\n`,
      "CHORALE_NET_INCOMPLETE",
    ],
    ["a negative one", `${HEAD}content-length: -5\r\n\r\n01234`, "CHORALE_NET_UNREACHABLE"],
    [
      "two of them",
      `${HEAD}content-length: 3\r\ncontent-length: 5\r\n\r\n01234`,
      "CHORALE_NET_UNREACHABLE",
    ],
    [
      "beside chunks",
      `${HEAD}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n\r\n`,
      "CHORALE_NET_UNREACHABLE",
    ],
    ["none, ended by the connection", `${HEAD}\r\n01234`, "200 01234"],
  ])("%s", async (_, answer, expected) => {
    expect(await outcome(answer)).toBe(expected);
  });

  test("what comes after a response is not taken for the next one", async () => {
    const forged = `${HEAD}content-length: 6\r\n\r\nforged`;
    const site = await serveRaw((socket) => {
      socket.write(`${HEAD}content-length: 4\r\n\r\nreal${forged}`);
      socket.on("data", () => socket.write(`${HEAD}content-length: 4\r\n\r\nreal`));
    });
    const client = openTestClient([site.port]);
    for (let time = 0; time < 5; time++) {
      expect(await resultOf(client.get(site.at("/"), named))).toBe("200 real");
    }
  });
});

describe("a body that swells", () => {
  const zeros = Buffer.alloc(32 * 1024 * 1024);
  const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  test.each<[string, () => Uint8Array]>([
    ["gzip", () => gzipSync(zeros)],
    ["deflate", () => deflateSync(zeros)],
    ["deflate", () => deflateRawSync(zeros)],
    ["br", () => brotliCompressSync(zeros, quick)],
    ["zstd", () => zstdCompressSync(zeros)],
    ["gzip, gzip", () => gzipSync(gzipSync(zeros))],
    ["gzip, br, zstd", () => zstdCompressSync(brotliCompressSync(gzipSync(zeros), quick))],
    ["zstd, gzip", () => gzipSync(zstdCompressSync(zeros))],
  ])("by %s ends at the limit", async (encoding, make) => {
    const body = make();
    const site = await serve({
      "/": (_, response) => response.setHeader("content-encoding", encoding).end(body),
    });
    const client = openTestClient([site.port], { maxBytes: 200_000 });
    const page = client.get(site.at("/"), named);
    expect(body.length).toBeLessThan(200_000);
    expect(await codeOf(page)).toBe("CHORALE_NET_TOO_LARGE");
    await expect(page).rejects.toThrow("has more than 200000 bytes");
  });

  test.each<[string, string, Uint8Array]>([
    ["is not what it is said to be", "gzip", Buffer.from("plain text")],
    ["is cut off", "gzip", gzipSync("x".repeat(1000)).subarray(0, 20)],
    ["is cut off", "br", brotliCompressSync(Buffer.from("abcdefgh".repeat(99))).subarray(0, 9)],
    ["is cut off", "zstd", zstdCompressSync("abcdefgh".repeat(99)).subarray(0, 20)],
    ["is spoilt", "gzip", Buffer.from(gzipSync("x".repeat(99))).fill(7, 12, 16)],
    ["is packed in a way that nobody asked for", "compress", Buffer.from("x")],
    ["is packed four times", "gzip, gzip, gzip, gzip", gzipSync("x")],
    ["is packed as a property of objects", "constructor", Buffer.from("x")],
    ["is packed as nothing", "gzip,,br", Buffer.from("x")],
  ])("or %s (%s) is no page", async (_, encoding, body) => {
    const site = await serve({
      "/": (_request, response) => response.setHeader("content-encoding", encoding).end(body),
    });
    const page = openTestClient([site.port]).get(site.at("/"), named);
    expect(await codeOf(page)).toBe("CHORALE_NET_ENCODING");
  });
});

describe("redirects", () => {
  const redirect = async (status: number, location: string): Promise<Site> =>
    serve({ "/": (_, response) => response.writeHead(status, { location }).end("moved") });

  test.each([301, 302, 303, 307, 308])("by %i in a circle end", async (status) => {
    const site = await redirect(status, "/");
    expect(await codeOf(openTestClient([site.port]).get(site.at("/"), named))).toBe(
      "CHORALE_NET_REDIRECTS",
    );
    expect(site.asked.length).toBe(9);
  });

  test("that never repeat end as well", async () => {
    let next = 0;
    const site = await serveRaw((socket) => {
      socket.end(`HTTP/1.1 302 Found\r\nlocation: /${++next}\r\ncontent-length: 0\r\n\r\n`);
    });
    const client = openTestClient([site.port], { maxRedirects: 3 });
    expect(await codeOf(client.get(site.at("/"), named))).toBe("CHORALE_NET_REDIRECTS");
    expect(site.asked.length).toBe(4);
  });

  test.each([
    ["file:///etc/passwd", "CHORALE_NET_URL"],
    ["javascript:alert(1)", "CHORALE_NET_URL"],
    ["data:text/html,x", "CHORALE_NET_URL"],
    ["//user:pass@site.test/", "CHORALE_NET_URL"],
    ["http://site.test:22/", "CHORALE_NET_URL"],
    ["http://[bad/", "CHORALE_NET_URL"],
    ["http://127.0.0.1/", "CHORALE_NET_ADDRESS"],
    ["//[::1]/", "CHORALE_NET_ADDRESS"],
    ["\\\\169.254.169.254\\latest", "CHORALE_NET_ADDRESS"],
  ])("to %s are not followed", async (location, code) => {
    const site = await redirect(302, location);
    expect(await codeOf(openTestClient([site.port]).get(site.at("/"), named))).toBe(code);
  });

  test("with an endless body, or without a place, are what they are", async () => {
    const moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n";
    expect(await outcome(endless(moved, "x".repeat(1000)))).toBe("CHORALE_NET_ADDRESS");
    expect(await outcome("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n")).toBe("302 ");
  });
});

describe("a head", () => {
  test.each<[string, string | ((socket: Socket) => void), string]>([
    ["of many fields", `${HEAD}${"a: b\r\n".repeat(100_000)}\r\n`, "CHORALE_NET_UNREACHABLE"],
    ["with a long field", `${HEAD}a: ${"b".repeat(1_000_000)}\r\n\r\n`, "CHORALE_NET_UNREACHABLE"],
    ["that never ends", endless(HEAD, "a: b\r\n".repeat(1000)), "CHORALE_NET_UNREACHABLE"],
    ["with a name that never ends", endless(HEAD, "a".repeat(1000)), "CHORALE_NET_UNREACHABLE"],
    ["with a NUL", `${HEAD}a: b\0c\r\ncontent-length: 2\r\n\r\nok`, "CHORALE_NET_UNREACHABLE"],
    ["of another protocol", "SSH-2.0-OpenSSH_9.9\r\n", "CHORALE_NET_UNREACHABLE"],
    ["of HTTP/0.9", "<p>page</p>", "CHORALE_NET_UNREACHABLE"],
    ["that is empty", "", "CHORALE_NET_UNREACHABLE"],
    ["with a status that is none", "HTTP/1.1 20 OK\r\n\r\n", "CHORALE_NET_UNREACHABLE"],
    [
      "that switches to what nobody asked for",
      "HTTP/1.1 101 Go\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
      "CHORALE_NET_UNREACHABLE",
    ],
    ["of 40 KB", `${HEAD}a: ${"b".repeat(40_000)}\r\ncontent-length: 2\r\n\r\nok`, "200 ok"],
    ["without a reason", "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", "200 ok"],
    ["of a page that has nothing", "HTTP/1.1 204 No Content\r\n\r\n", "204 "],
    ["that confirms what nobody has", "HTTP/1.1 304 Not Modified\r\n\r\n", "304 "],
    [
      "after a few hints",
      `${"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n".repeat(3)}${HEAD}content-length: 2\r\n\r\nok`,
      "200 ok",
    ],
    [
      "after endless hints",
      endless("", "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n".repeat(100)),
      "CHORALE_NET_RESPONSE",
    ],
    [
      "after endless other news",
      endless("", "HTTP/1.1 102 Processing\r\n\r\n".repeat(100)),
      "CHORALE_NET_RESPONSE",
    ],
    [
      "before endless extensions of chunks",
      endless(`${HEAD}transfer-encoding: chunked\r\n\r\n1;a=`, "b".repeat(10_000)),
      "CHORALE_NET_RESPONSE",
    ],
    [
      "before endless trailers",
      endless(`${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n`, "a: b\r\n".repeat(1000)),
      "CHORALE_NET_INCOMPLETE",
    ],
  ])("%s", async (_, answer, expected) => {
    expect(await outcome(answer)).toBe(expected);
  });
});

test("characters are left as they came, whatever is said of them", async () => {
  const bodies: Record<string, readonly [string, Uint8Array]> = {
    "/utf-16": ["text/html; charset=utf-8", Buffer.from("\ufeffpage", "utf16le")],
    "/latin-1": ["text/html; charset=utf-8", Buffer.from("p\u00e4ge", "latin1")],
    "/shift-jis": ["text/html; charset=euc-jp; charset=shift_jis", Buffer.from([0x83, 0x65])],
    "/mixed": ['TEXT/HTML; CHARSET="nonsense"', Buffer.from([0x61, 0xff, 0xc3, 0xa4, 0xe4])],
  };
  const site = await serve(
    Object.fromEntries(
      Object.entries(bodies).map(([path, [type, body]]) => [
        path,
        (_, response) => response.setHeader("content-type", type).end(body),
      ]),
    ),
  );
  const client = openTestClient([site.port]);
  for (const [path, [type, body]] of Object.entries(bodies)) {
    const page = await client.get(site.at(path), named);
    expect([page.contentType, Buffer.from(page.bytes)]).toEqual([type, Buffer.from(body)]);
  }
});

describe("over TLS", () => {
  test("a certificate counts that an authority vouches for, for this name, now", async () => {
    const authority = await createAuthority();
    const stranger = await createAuthority();
    const expired = { from: daysFromNow(-9), to: daysFromNow(-1) };
    const early = { from: daysFromNow(1), to: daysFromNow(9) };
    const certificates = {
      good: await authority.issue("site.test"),
      expired: await authority.issue("site.test", expired),
      "not yet valid": await authority.issue("site.test", early),
      "of another name": await authority.issue("other.test"),
      "of another authority": await stranger.issue("site.test"),
      "self-signed": await createSelfSigned("site.test"),
    };
    const found: Record<string, string> = {};
    for (const [kind, certificate] of Object.entries(certificates)) {
      let asked = 0;
      const server = createSecureServer(certificate, (_, response) => {
        asked++;
        response.end("secure");
      });
      const port = await listen(server);
      const client = openTestClient([port], { ca: authority.certificate });
      const result = await resultOf(client.get(`https://site.test:${port}/`, named));
      found[kind] = `${result}, asked ${asked}`;
    }
    const refused = "CHORALE_NET_TLS, asked 0";
    expect(found).toEqual({
      good: "200 secure, asked 1",
      expired: refused,
      "not yet valid": refused,
      "of another name": refused,
      "of another authority": refused,
      "self-signed": refused,
    });
  });

  test("the refusal says why", async () => {
    const authority = await createAuthority();
    const certificate = await authority.issue("site.test", {
      from: daysFromNow(-9),
      to: daysFromNow(-1),
    });
    const port = await listen(createSecureServer(certificate));
    const client = openTestClient([port], { ca: authority.certificate });
    await expect(client.get(`https://site.test:${port}/`, named)).rejects.toThrow(
      "site.test was not asked: its certificate is not accepted (certificate has expired).",
    );
  });

  test("what is no TLS, and a handshake that never ends", async () => {
    const plain = await serveRaw((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const client = openTestClient([plain.port]);
    expect(await codeOf(client.get(`https://site.test:${plain.port}/`, named))).toBe(
      "CHORALE_NET_UNREACHABLE",
    );
    const mute = await listen(createTcpServer(() => {}));
    const impatient = openTestClient([mute], { timeouts: { totalMs: 200 } });
    expect(await codeOf(impatient.get(`https://site.test:${mute}/`, named))).toBe(
      "CHORALE_NET_TIMEOUT",
    );
  });
});

describe("over HTTP/2", () => {
  async function serveHttp2(
    answer: (stream: ServerHttp2Stream, path: string) => void,
  ): Promise<{ get(path: string): Promise<string>; readonly sessions: ServerHttp2Session[] }> {
    const authority = await createAuthority();
    const server = createHttp2Server(await authority.issue("site.test"));
    const sessions: ServerHttp2Session[] = [];
    server.on("session", (session) => sessions.push(session));
    server.on("sessionError", () => {});
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      answer(stream, String(headers[":path"]));
    });
    const port = await listen(server);
    const options = { ca: authority.certificate, maxBytes: 1000 };
    const client = openTestClient([port], { ...options, timeouts: { totalMs: 5_000 } });
    return {
      get: (path) => resultOf(client.get(`https://site.test:${port}${path}`, named)),
      sessions,
    };
  }

  test("many pages come through few connections", async () => {
    const { get, sessions } = await serveHttp2((stream, path) => {
      stream.respond({ ":status": 200, "content-encoding": "gzip" });
      stream.end(gzipSync(`page ${path}`));
    });
    const paths = Array.from({ length: 10 }, (_, index) => `/${index}`);
    expect(await get("/first")).toBe("200 page /first");
    expect(await Promise.all(paths.map(get))).toEqual(paths.map((path) => `200 page ${path}`));
    expect(sessions.length).toBeLessThanOrEqual(6);
  });

  test("faults are those of HTTP/1", async () => {
    const { get } = await serveHttp2((stream, path) => {
      if (path === "/reset") return stream.close(INTERNAL_ERROR);
      if (path === "/loop") {
        stream.respond({ ":status": 302, location: "/loop" });
        return stream.end();
      }
      if (path === "/inside") {
        stream.respond({ ":status": 302, location: "https://127.0.0.1/" });
        return stream.end();
      }
      if (path === "/bomb") {
        stream.respond({ ":status": 200, "content-encoding": "gzip" });
        return stream.end(gzipSync(Buffer.alloc(500_000)));
      }
      stream.respond({ ":status": 200, ...(path === "/broken" && { "content-length": "10" }) });
      if (path === "/endless") {
        const send = (): void => {
          while (stream.write("x".repeat(1000)));
        };
        stream.on("drain", send);
        return send();
      }
      if (path === "/broken") return stream.write("half", () => stream.close(INTERNAL_ERROR));
      return stream.end("page");
    });
    expect(await get("/reset")).toBe("CHORALE_NET_UNREACHABLE");
    expect(await get("/loop")).toBe("CHORALE_NET_REDIRECTS");
    expect(await get("/inside")).toBe("CHORALE_NET_ADDRESS");
    expect(await get("/bomb")).toBe("CHORALE_NET_TOO_LARGE");
    expect(await get("/endless")).toBe("CHORALE_NET_TOO_LARGE");
    expect(await get("/broken")).toBe("CHORALE_NET_INCOMPLETE");
    expect(await get("/page")).toBe("200 page");
  });

  test("a head of many fields ends the request", async () => {
    const { get } = await serveHttp2((stream) => {
      const fields = Array.from({ length: 3000 }, (_, index) => [`x-${index}`, "y".repeat(50)]);
      stream.respond({ ":status": 200, ...Object.fromEntries(fields) });
      stream.end("page");
    });
    expect(await get("/")).toMatch(/^CHORALE_NET_/);
  });

  test("a connection that its server gives up is replaced", async () => {
    const { get, sessions } = await serveHttp2((stream) => {
      stream.respond({ ":status": 200 });
      stream.end("page");
    });
    expect(await get("/")).toBe("200 page");
    sessions[0]?.destroy();
    expect(await get("/")).toBe("200 page");
    sessions[1]?.goaway();
    expect(await get("/")).toBe("200 page");
  });
});
