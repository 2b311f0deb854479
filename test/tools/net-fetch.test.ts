/** Real servers on loopback; only names and the permission to use loopback are given to the fetch. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  NetError,
} from "../../tools/net/index.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Every name stands for loopback, and loopback is allowed; ports and names are what is granted. */
function guarded(options: GuardedFetchOptions): GuardedFetch {
  const made = createGuardedFetch({
    resolve: async () => ["127.0.0.1"],
    allowAddress: (address) => address === "127.0.0.1",
    ...options,
  });
  closers.push(() => made.close());
  return made;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof NetError) return error.code;
    throw error;
  }
  return "none";
}

const text = (body: Uint8Array): string => new TextDecoder().decode(body);

let port = 0;
let requests: {
  url: string;
  method: string;
  headers: NodeJS.Dict<string | string[]>;
  body: string;
}[];
let routes: Record<string, RequestListener>;
beforeEach(async () => {
  requests = [];
  routes = {};
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { url = "", method = "", headers } = request;
    requests.push({ url, method, headers, body });
    const route = routes[url];
    if (route) route(request, response);
    else response.end(`page ${url}`);
  });
  port = await listen(server);
});

const redirectTo =
  (location: string, status = 302): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { location }).end();
  };

describe("what is asked", () => {
  test("a granted host, by its name", async () => {
    const net = guarded({ hosts: [`good.test:${port}`] });
    const response = await net.fetch(`http://good.test:${port}/a?b=c#d`, {
      headers: { "X-Mine": "1" },
    });
    expect(response).toMatchObject({ status: 200, redirects: 0 });
    expect(response.url).toBe(`http://good.test:${port}/a?b=c`);
    expect(text(response.body)).toBe("page /a?b=c");
    const [request] = requests;
    expect(request?.headers).toMatchObject({
      host: `good.test:${port}`,
      "x-mine": "1",
      "user-agent": "chorale",
    });
  });

  test("every cookie is handed over", async () => {
    routes["/"] = (_request, response) => {
      response.setHeader("set-cookie", ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
      response.setHeader("x-a", ["1", "2"]);
      response.end();
    };
    const net = guarded({ hosts: [`good.test:${port}`] });
    const { headers, setCookies } = await net.fetch(`http://good.test:${port}/`);
    expect(setCookies).toEqual(["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
    expect(headers["set-cookie"]).toContain("a=1");
    expect(headers["x-a"]).toBe("1, 2");
  });

  test("a body is sent", async () => {
    const net = guarded({ hosts: [`good.test:${port}`] });
    await net.fetch(`http://good.test:${port}/`, { method: "post", body: "päckchen" });
    expect(requests[0]).toMatchObject({ method: "POST", body: "päckchen" });
  });

  test("not another host, port or scheme", async () => {
    const net = guarded({ hosts: [`good.test:${port}`] });
    const codes = [
      await codeOf(net.fetch(`http://evil.test:${port}/`)),
      await codeOf(net.fetch("http://good.test/")),
      await codeOf(net.fetch("file:///etc/passwd")),
      await codeOf(net.fetch("data:text/plain,x")),
      await codeOf(net.fetch("ftp://good.test/")),
      await codeOf(net.fetch("/relative")),
      await codeOf(net.fetch(`http://user:secret@good.test:${port}/`)),
    ];
    expect(codes).toEqual([
      "CHORALE_NET_HOST",
      "CHORALE_NET_HOST",
      ...Array.from({ length: 5 }, () => "CHORALE_NET_URL"),
    ]);
    expect(requests).toEqual([]);
  });

  test("the refusal of a URL with a password does not repeat it", async () => {
    const net = guarded({ hosts: ["*"] });
    await expect(net.fetch("http://user:secret@good.test/")).rejects.not.toThrow(/secret/);
  });

  test("nothing where nothing is granted", async () => {
    expect(await codeOf(guarded({ hosts: [] }).fetch("http://good.test/"))).toBe(
      "CHORALE_NET_HOST",
    );
  });

  test.each([
    [{ method: "CONNECT" }],
    [{ method: "TRACE" }],
    [{ headers: { Host: "other.test" } }],
    [{ headers: { "Transfer-Encoding": "chunked" } }],
    [{ headers: { "X-Forwarded-For": "127.0.0.1" } }],
    [{ headers: { "x-a": "b\r\nHost: other.test" } }],
    [{ headers: { "x-a": "b\u010a" } }],
    [{ headers: { "x\r\ny": "b" } }],
    [{ body: "with GET" }],
  ])("not with %j", async (request) => {
    const net = guarded({ hosts: [`good.test:${port}`] });
    expect(await codeOf(net.fetch(`http://good.test:${port}/`, request))).toBe(
      "CHORALE_NET_REQUEST",
    );
    expect(requests).toEqual([]);
  });
});

describe("where it connects", () => {
  test.each([
    "127.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "0",
  ])("not to %s", async (host) => {
    const net = guarded({ hosts: [`*:${port}`], allowAddress: () => false });
    expect(await codeOf(net.fetch(`http://${host}:${port}/`))).toBe("CHORALE_NET_ADDRESS");
    expect(requests).toEqual([]);
  });

  test("not to a name of this machine, as the system resolves it", async () => {
    const net = createGuardedFetch({ hosts: [`*:${port}`] });
    closers.push(() => net.close());
    expect(await codeOf(net.fetch(`http://localhost:${port}/`))).toBe("CHORALE_NET_ADDRESS");
    expect(requests).toEqual([]);
  });

  test("to the permitted ones among a name's addresses", async () => {
    const net = guarded({
      hosts: [`good.test:${port}`],
      resolve: async () => ["10.0.0.1", "::1", "127.0.0.1"],
    });
    expect((await net.fetch(`http://good.test:${port}/`)).status).toBe(200);
  });

  test("not where a name points a moment later", async () => {
    routes["/"] = (_request, response) => response.setHeader("connection", "close").end("first");
    const answers = [["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]];
    let asked = 0;
    const net = guarded({
      hosts: [`rebind.test:${port}`],
      resolve: async () => answers[asked++] ?? [],
    });
    const url = `http://rebind.test:${port}/`;
    expect(text((await net.fetch(url)).body)).toBe("first");
    // One question for one connection: there is no second answer that could differ from the checked one.
    expect(asked).toBe(1);
    expect(await codeOf(net.fetch(url))).toBe("CHORALE_NET_ADDRESS");
    expect(requests.length).toBe(1);
  });

  test("names without addresses, and addresses without an answer, are said", async () => {
    const lost = async (): Promise<never> => {
      throw Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    };
    const unknown = guarded({ hosts: ["*"], resolve: lost });
    await expect(unknown.fetch("http://nowhere.test/")).rejects.toThrow(
      "nowhere.test cannot be reached: its name cannot be resolved (ENOTFOUND).",
    );
    const empty = guarded({ hosts: ["*"], resolve: async () => [] });
    expect(await codeOf(empty.fetch("http://nowhere.test/"))).toBe("CHORALE_NET_UNREACHABLE");
    const tcp = createTcpServer();
    const closed = await listen(tcp);
    await new Promise((done) => tcp.close(done));
    const net = guarded({ hosts: [`good.test:${closed}`] });
    expect(await codeOf(net.fetch(`http://good.test:${closed}/`))).toBe("CHORALE_NET_UNREACHABLE");
  });
});

describe("redirects", () => {
  test("are followed within what is granted, and counted", async () => {
    routes["/a"] = redirectTo("/b", 301);
    routes["/b"] = redirectTo(`http://other.test:${port}/c`, 308);
    const net = guarded({ hosts: [`*.test:${port}`] });
    const response = await net.fetch(`http://good.test:${port}/a`);
    expect(response).toMatchObject({ url: `http://other.test:${port}/c`, redirects: 2 });
  });

  test("not to a host that is not granted, nor to an address inside", async () => {
    routes["/host"] = redirectTo(`http://evil.test:${port}/secret`);
    routes["/inside"] = redirectTo(`http://127.0.0.1:${port}/secret`);
    routes["/metadata"] = redirectTo(`http://inner.test:${port}/secret`);
    routes["/file"] = redirectTo("file:///etc/passwd");
    routes["/login"] = redirectTo(`http://me:pass@good.test:${port}/secret`);
    routes["/nonsense"] = redirectTo("http://[nonsense/");
    const net = guarded({
      hosts: [`good.test:${port}`, `inner.test:${port}`],
      resolve: async (name) => (name === "inner.test" ? ["169.254.169.254"] : ["127.0.0.1"]),
    });
    const codes: Record<string, string> = {};
    for (const path of Object.keys(routes)) {
      codes[path] = await codeOf(net.fetch(`http://good.test:${port}${path}`));
    }
    expect(codes).toEqual({
      "/host": "CHORALE_NET_HOST",
      "/inside": "CHORALE_NET_HOST",
      "/metadata": "CHORALE_NET_ADDRESS",
      "/file": "CHORALE_NET_URL",
      "/login": "CHORALE_NET_URL",
      "/nonsense": "CHORALE_NET_URL",
    });
    expect(requests.map(({ url }) => url)).not.toContain("/secret");
  });

  test("as many as are allowed lead to an answer", async () => {
    routes["/1"] = redirectTo("/2");
    routes["/2"] = redirectTo("/3");
    const net = guarded({ hosts: [`good.test:${port}`], limits: { redirects: 2 } });
    expect(await net.fetch(`http://good.test:${port}/1`)).toMatchObject({ redirects: 2 });
  });

  test("end somewhere", async () => {
    routes["/loop"] = redirectTo("/loop");
    const net = guarded({ hosts: [`good.test:${port}`], limits: { redirects: 3 } });
    expect(await codeOf(net.fetch(`http://good.test:${port}/loop`))).toBe("CHORALE_NET_REDIRECTS");
    expect(requests.length).toBe(4);
  });

  test("keep what is confidential from other hosts, and drop the body where browsers do", async () => {
    routes["/post"] = redirectTo(`http://other.test:${port}/got`, 303);
    routes["/keep"] = redirectTo("/kept", 307);
    const net = guarded({ hosts: [`*.test:${port}`] });
    const request = {
      method: "POST",
      body: "x=1",
      headers: {
        Authorization: "Bearer t",
        Cookie: "c=1",
        "Content-Type": "text/plain",
        "X-A": "1",
      },
    };
    await net.fetch(`http://good.test:${port}/post`, request);
    await net.fetch(`http://good.test:${port}/keep`, request);
    const [, got, , kept] = requests;
    expect(got).toMatchObject({ url: "/got", method: "GET", body: "", headers: { "x-a": "1" } });
    expect(got?.headers).not.toHaveProperty("authorization");
    expect(got?.headers).not.toHaveProperty("cookie");
    expect(got?.headers).not.toHaveProperty("content-type");
    expect(kept).toMatchObject({
      method: "POST",
      body: "x=1",
      headers: { authorization: "Bearer t" },
    });
  });
});

describe("bounds", () => {
  test("a body that is announced or turns out too long, or swells when it is unpacked", async () => {
    routes["/long"] = (_request, response) => response.end("x".repeat(2000));
    routes["/endless"] = (_request, response) => {
      const send = (): void => {
        while (response.write("x".repeat(1000)));
      };
      response.on("drain", send);
      send();
    };
    routes["/bomb"] = (_request, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(10_000_000)));
    };
    routes["/small"] = (_request, response) => {
      response.setHeader("content-encoding", "gzip").end(gzipSync("small"));
    };
    const net = guarded({ hosts: [`good.test:${port}`], limits: { responseBytes: 1000 } });
    const at = (path: string) => net.fetch(`http://good.test:${port}${path}`);
    for (const path of ["/long", "/endless", "/bomb"]) {
      expect(await codeOf(at(path)), path).toBe("CHORALE_NET_TOO_LARGE");
    }
    expect(text((await at("/small")).body)).toBe("small");
  });

  test("a body that is sent", async () => {
    const net = guarded({ hosts: [`good.test:${port}`], limits: { requestBytes: 10 } });
    const url = `http://good.test:${port}/`;
    expect(await codeOf(net.fetch(url, { method: "POST", body: "ääääää" }))).toBe(
      "CHORALE_NET_TOO_LARGE",
    );
    expect(requests).toEqual([]);
  });

  test("time: silence, a trickle, a resolver that does not answer", async () => {
    routes["/silent"] = () => {};
    routes["/trickle"] = (_request, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    };
    const limits = { timeMs: 300 };
    const net = guarded({ hosts: [`good.test:${port}`], limits });
    for (const path of ["/silent", "/trickle"]) {
      expect(await codeOf(net.fetch(`http://good.test:${port}${path}`)), path).toBe(
        "CHORALE_NET_TIMEOUT",
      );
    }
    const deaf = guarded({ hosts: ["*"], limits, resolve: () => new Promise(() => {}) });
    expect(await codeOf(deaf.fetch("http://good.test/"))).toBe("CHORALE_NET_TIMEOUT");
  });

  test("the caller's signal", async () => {
    const abort = new AbortController();
    routes["/silent"] = () => abort.abort();
    const net = guarded({ hosts: [`good.test:${port}`] });
    const { signal } = abort;
    expect(await codeOf(net.fetch(`http://good.test:${port}/silent`, { signal }))).toBe(
      "CHORALE_NET_ABORTED",
    );
  });

  test("what is around the content: endless extensions of chunks, endless early hints", async () => {
    const endless = (head: string, more: string): Promise<number> =>
      listen(
        createTcpServer((socket) => {
          const send = (): void => {
            while (socket.write(more.repeat(1000)));
          };
          socket.on("error", () => {});
          socket.on("drain", send);
          socket.write(head, send);
        }),
      );
    const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const ports = [
      await endless(`${chunked}1;a=`, "b".repeat(100)),
      await endless(chunked, `1;a=${"b".repeat(90)}\r\nx\r\n`),
      await endless("", "HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n"),
    ];
    for (const at of ports) {
      const net = guarded({ hosts: [`good.test:${at}`] });
      // Not only when the time is up.
      expect(await codeOf(net.fetch(`http://good.test:${at}/`))).toBe("CHORALE_NET_RESPONSE");
    }
  });

  test("a few early hints are passed over", async () => {
    const at = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => {});
        socket.end(
          `${"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n".repeat(3)}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`,
        );
      }),
    );
    const net = guarded({ hosts: [`good.test:${at}`] });
    expect(text((await net.fetch(`http://good.test:${at}/`)).body)).toBe("ok");
  });

  test("what is no HTTP", async () => {
    const nonsense = await listen(createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n")));
    const heads = await listen(
      createTcpServer((socket) => {
        socket.on("error", () => {});
        socket.write(`HTTP/1.1 200 OK\r\n${"x-a: b\r\n".repeat(10_000)}\r\n`);
      }),
    );
    for (const at of [nonsense, heads]) {
      const net = guarded({ hosts: [`good.test:${at}`] });
      expect(await codeOf(net.fetch(`http://good.test:${at}/`))).toBe("CHORALE_NET_UNREACHABLE");
    }
  });
});

describe("https", () => {
  const pem = (name: string): string =>
    readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), "utf8");

  test("the certificate is held against the name, though the address is connected to", async () => {
    const names: unknown[] = [];
    const server = createSecureServer(
      { key: pem("key"), cert: pem("cert") },
      (request, response) => {
        names.push((request.socket as { servername?: unknown }).servername);
        response.end("secure");
      },
    );
    const at = await listen(server);
    const net = guarded({ hosts: [`*.test:${at}`], ca: pem("cert") });
    expect(text((await net.fetch(`https://secure.test:${at}/`)).body)).toBe("secure");
    expect(names).toEqual(["secure.test"]);
    await expect(net.fetch(`https://other.test:${at}/`)).rejects.toMatchObject({
      code: "CHORALE_NET_TLS",
      message: expect.stringContaining("altnames"),
    });
    const distrusting = guarded({ hosts: [`*.test:${at}`] });
    expect(await codeOf(distrusting.fetch(`https://secure.test:${at}/`))).toBe("CHORALE_NET_TLS");
  });
});
