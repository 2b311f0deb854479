/** The web client against servers that behave. */
import { createHash } from "node:crypto";
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWebPolicy } from "../../../tools/net/web/policy.ts";
import { codeOf, openTestClient, serve, text } from "./loopback.ts";

const named = { purpose: "named by the user" } as const;

describe("a page", () => {
  test("comes with where it was found, what it is, and its hash", async () => {
    const site = await serve({
      "/": (_, response) => response.writeHead(302, { location: "/page#top" }).end(),
      "/page": (_, response) => {
        response.setHeader("content-type", "text/html; charset=shift_jis").end("<p>page</p>");
      },
    });
    const page = await openTestClient([site.port]).get(site.at("/#start"), named);
    expect(page).toMatchObject({
      url: site.at("/page"),
      status: 200,
      contentType: "text/html; charset=shift_jis",
      fromCache: false,
      sha256: createHash("sha256").update("<p>page</p>").digest("hex"),
    });
    expect(text(page.bytes)).toBe("<p>page</p>");
    expect(new Date(page.fetchedAt).toISOString()).toBe(page.fetchedAt);
  });

  test("that says no is a page as well", async () => {
    const site = await serve({});
    const page = await openTestClient([site.port]).get(site.at("/none"), named);
    expect([page.status, page.contentType, text(page.bytes)]).toEqual([404, null, "not here"]);
  });

  test.each([
    ["gzip", gzipSync("packed")],
    ["x-gzip", gzipSync("packed")],
    ["br", brotliCompressSync("packed")],
    ["zstd", zstdCompressSync("packed")],
    ["deflate", deflateSync("packed")],
    ["Deflate", deflateRawSync("packed")],
    ["deflate, gzip, br", brotliCompressSync(gzipSync(deflateSync("packed")))],
    ["identity", Buffer.from("packed")],
    ["gzip", Buffer.alloc(0)],
  ])("is unpacked from %s", async (encoding, body) => {
    const site = await serve({
      "/": (_, response) => response.setHeader("content-encoding", encoding).end(body),
    });
    const page = await openTestClient([site.port]).get(site.at("/"), named);
    expect(text(page.bytes)).toBe(body.length === 0 ? "" : "packed");
  });

  test("is asked for with few headers, no cookies, and what was given only at home", async () => {
    const heads: NodeJS.Dict<string | string[]>[] = [];
    const site = await serve({
      "/": ({ headers }, response) => {
        heads.push(headers);
        const location = `http://other.test:${site.port}/away`;
        response.writeHead(302, { location, "set-cookie": "a=1" }).end();
      },
      "/away": ({ headers }, response) => {
        heads.push(headers);
        response.end();
      },
    });
    await openTestClient([site.port]).get(site.at("/"), { ...named, headers: { "X-Key": "k" } });
    expect(heads.map((head) => Object.keys(head).sort())).toEqual([
      ["accept", "accept-encoding", "connection", "host", "user-agent", "x-key"],
      ["accept", "accept-encoding", "connection", "host", "user-agent"],
    ]);
  });

  test("can be asked for with a body", async () => {
    const site = await serve({
      "/": async (request, response) => {
        let body = "";
        for await (const chunk of request) body += chunk;
        response.end(`${request.method} ${request.headers["content-type"]} ${body}`);
      },
    });
    const page = await openTestClient([site.port]).post(site.at("/"), '{"q":"ä"}', {
      ...named,
      headers: { "content-type": "application/json" },
    });
    expect(text(page.bytes)).toBe('POST application/json {"q":"ä"}');
  });
});

describe("what is not asked", () => {
  test.each([
    "file:///etc/passwd",
    "ftp://site.test/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "view-source:http://site.test/",
    "/relative",
    "",
    "http://user:secret@site.test/",
    "http://site.test:22/",
    "http://site.test:6667/",
    "http://site..test/",
    "http://site.test../",
    `http://site.test/${"a".repeat(9000)}`,
  ])("%s", async (url) => {
    const client = openTestClient([80]);
    expect(await codeOf(client.get(url, named))).toBe("CHORALE_NET_URL");
    await expect(client.get(url, named)).rejects.not.toThrow(/secret/);
  });

  test.each([
    [{ allowDomains: ["example.org"] }, "http://example.com/", "CHORALE_NET_DOMAIN"],
    [{ allowDomains: ["example.org"] }, "http://badexample.org/", "CHORALE_NET_DOMAIN"],
    [{ allowDomains: ["example.org"] }, "http://example.org.evil.com/", "CHORALE_NET_DOMAIN"],
    [{ allowDomains: [] }, "http://example.org/", "CHORALE_NET_DOMAIN"],
    [{ allowDomains: ["*.example.org"] }, "http://example.org/", "CHORALE_NET_DOMAIN"],
    [{ allowDomains: ["example.org:8443"] }, "https://example.org/", "CHORALE_NET_DOMAIN"],
    [{ blockDomains: ["example.org"] }, "http://EXAMPLE.org./", "CHORALE_NET_DOMAIN"],
    [{ blockDomains: ["example.org"] }, "http://a.b.example.org/", "CHORALE_NET_DOMAIN"],
    [
      { blockDomains: ["bücher.example"] },
      "http://www.xn--bcher-kva.example/",
      "CHORALE_NET_DOMAIN",
    ],
    [{ blockDomains: ["xn--bcher-kva.example"] }, "http://BÜCHER.example/", "CHORALE_NET_DOMAIN"],
    [{ blockDomains: ["example.org"] }, "http://ｅxample。org/", "CHORALE_NET_DOMAIN"],
    [{ blockDomains: ["example.org"] }, "http://ex%61mple.org/", "CHORALE_NET_DOMAIN"],
    [
      { allowDomains: ["example.org"], blockDomains: ["a.example.org"] },
      "http://a.example.org/",
      "CHORALE_NET_DOMAIN",
    ],
    // What is allowed is asked; the resolver of this test then has no address for it.
    [{ allowDomains: [".example.org"] }, "http://a.example.org/", "CHORALE_NET_UNREACHABLE"],
    [{ allowDomains: ["example.org"] }, "http://example.org:8080/", "CHORALE_NET_UNREACHABLE"],
    [{ allowDomains: ["example.org:22"] }, "http://example.org:22/", "CHORALE_NET_UNREACHABLE"],
    [{ blockDomains: ["example.org"] }, "http://example.com/", "CHORALE_NET_UNREACHABLE"],
  ])("%j: %s", async (policy, url, code) => {
    const client = openTestClient([], { ...policy, resolve: async () => [] });
    expect(await codeOf(client.get(url, named))).toBe(code);
  });

  test("domains, as letters are compared", () => {
    const name = fc.domain();
    const below = fc.tuple(fc.stringMatching(/^[a-z0-9]{0,5}$/), fc.constantFrom(".", ""), name);
    fc.assert(
      fc.property(
        name,
        fc.oneof(
          name,
          below.map((parts) => parts.join("")),
        ),
        (domain, host) => {
          fc.pre(URL.canParse(`http://${host}/`) && !/^[.]|^$/.test(host));
          const url = new URL(`http://${host}/`);
          const isWithin = url.hostname === domain || url.hostname.endsWith(`.${domain}`);
          const permits = (options: Parameters<typeof createWebPolicy>[0]): boolean => {
            try {
              createWebPolicy(options).permit(url);
              return true;
            } catch {
              return false;
            }
          };
          expect(permits({ allowDomains: [domain] })).toBe(isWithin);
          expect(permits({ blockDomains: [domain] })).toBe(!isWithin);
          expect(permits({ allowDomains: [domain], blockDomains: [domain] })).toBe(false);
        },
      ),
    );
  });

  test("a redirect to a domain that is blocked", async () => {
    const site = await serve({
      "/": (_, response) => {
        response.writeHead(302, { location: `http://blocked.test:${site.port}/secret` }).end();
      },
    });
    const client = openTestClient([site.port], { blockDomains: ["blocked.test"] });
    expect(await codeOf(client.get(site.at("/"), named))).toBe("CHORALE_NET_DOMAIN");
    expect(site.asked).toEqual(["/"]);
  });

  test("a host in the own network that was not named, or at another port", async () => {
    const site = await serve({});
    const url = `http://127.0.0.1:${site.port}/`;
    expect(await codeOf(openTestClient([]).get(url, named))).toBe("CHORALE_NET_ADDRESS");
    const other = openTestClient([], { allowPrivateHosts: ["127.0.0.1"] });
    expect(await codeOf(other.get(url, named))).toBe("CHORALE_NET_ADDRESS");
    expect(site.asked).toEqual([]);
    const allowed = openTestClient([], { allowPrivateHosts: [`127.0.0.1:${site.port}`] });
    expect((await allowed.get(url, named)).status).toBe(404);
  });

  test("every private host at once", () => {
    expect(() => openTestClient([], { allowPrivateHosts: ["*"] })).toThrow(/"\*" is no host/);
    expect(() => openTestClient([], { allowDomains: ["http://a/"] })).toThrow(/is no host/);
  });

  test("a metadata service under the name of a private host", async () => {
    const options = {
      allowPrivateHosts: ["*.corp.test"],
      resolve: async () => ["169.254.169.254"],
    };
    const client = openTestClient([], options);
    expect(await codeOf(client.get("http://wiki.corp.test/", named))).toBe("CHORALE_NET_ADDRESS");
  });
});
