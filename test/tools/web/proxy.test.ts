/** Proxies of the environment: what they are asked for, and that they are no way around the guard. */
import { createServer as createSecureServer } from "node:https";
import { describe, expect, test } from "vitest";
import { proxyRules } from "../../../tools/net/proxy-rules.ts";
import { createAuthority } from "./certificates.ts";
import { codeOf, listen, openTestClient, serve, text } from "./loopback.ts";
import { serveProxy } from "./proxy-server.ts";

const named = { purpose: "named by the user" } as const;
const PUBLIC = "93.184.216.34";

describe("the variables", () => {
  const used = (env: NodeJS.ProcessEnv, url: string): string =>
    proxyRules(env)(new URL(url))?.url.host ?? "direct";

  test.each([
    [{}, "http://a.test/", "direct"],
    [{ http_proxy: "http://p:1" }, "http://a.test/", "p:1"],
    [{ http_proxy: "http://p:1" }, "https://a.test/", "direct"],
    [{ HTTPS_PROXY: "http://p:2" }, "https://a.test/", "p:2"],
    [{ https_proxy: "p:3", HTTPS_PROXY: "http://p:2" }, "https://a.test/", "p:3"],
    [{ https_proxy: "", HTTPS_PROXY: "http://p:2" }, "https://a.test/", "p:2"],
    [{ ALL_PROXY: "https://p:4" }, "http://a.test/", "p:4"],
    [{ HTTP_PROXY: "http://p:1", REQUEST_METHOD: "GET" }, "http://a.test/", "direct"],
    [{ http_proxy: "http://p:1", REQUEST_METHOD: "GET" }, "http://a.test/", "p:1"],
  ])("%j: %s by way of %s", (env, url, proxy) => expect(used(env, url)).toBe(proxy));

  test.each([
    ["*", "http://a.test/", "direct"],
    ["a.test", "http://a.test/", "direct"],
    ["a.test", "http://A.TEST./", "direct"],
    ["a.test", "http://b.a.test/", "direct"],
    [".a.test", "http://a.test/", "direct"],
    ["*.a.test", "http://b.a.test/", "direct"],
    ["a.test", "http://ba.test/", "p:1"],
    ["a.test:8080", "http://a.test:8080/", "direct"],
    ["a.test:8080", "http://a.test/", "p:1"],
    ["x, a.test b.test", "http://b.test/", "direct"],
    ["10.0.0.0/8", "http://10.1.2.3/", "direct"],
    ["10.0.0.0/8", "http://11.1.2.3/", "p:1"],
    ["fd00::/8", "http://[fd12::1]/", "direct"],
    ["[fd12::1]:80", "http://[fd12::1]/", "direct"],
    ["fd12::1", "http://[fd12:0:0::1]/", "direct"],
    ["2.3", "http://10.1.2.3/", "p:1"],
    ["bücher.test", "http://xn--bcher-kva.test/", "direct"],
    ["", "http://localhost:3000/", "direct"],
    ["", "http://127.1.2.3/", "direct"],
    ["", "http://[::1]/", "direct"],
  ])("no_proxy=%s: %s by way of %s", (exceptions, url, proxy) => {
    expect(used({ http_proxy: "http://p:1", NO_PROXY: exceptions }, url)).toBe(proxy);
  });

  test.each(["socks5://p:1", "ftp://p", "http://", "http://a b"])("%s is no proxy", (value) => {
    const code = "CHORALE_NET_PROXY";
    expect(() => used({ http_proxy: value }, "http://a.test/")).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test("name and password are sent, and shown to nobody", () => {
    const rules = proxyRules({ http_proxy: "http://me:pass%20word@p:1" });
    const proxy = rules(new URL("http://a.test/"));
    expect(proxy?.url.href).toBe("http://p:1/");
    expect(proxy?.authorization).toBe(`Basic ${Buffer.from("me:pass word").toString("base64")}`);
  });
});

describe("a proxy", () => {
  test("is given the address that was checked, for http and https", async () => {
    const site = await serve({ "/a": (_, response) => response.end("plain") });
    const authority = await createAuthority();
    const certificate = await authority.issue("secure.test");
    const secure = createSecureServer(certificate, (_, response) => response.end("secure"));
    const securePort = await listen(secure);
    const proxy = await serveProxy((_, port) => (port === "443" ? securePort : site.port));
    const client = openTestClient([], {
      proxy: { env: { http_proxy: proxy.url, https_proxy: proxy.url } },
      resolve: async () => [PUBLIC],
      ca: authority.certificate,
    });
    expect(text((await client.get("http://site.test/a", named)).bytes)).toBe("plain");
    expect(text((await client.get("https://secure.test/a", named)).bytes)).toBe("secure");
    expect(proxy.asked).toEqual([`CONNECT ${PUBLIC}:80`, `CONNECT ${PUBLIC}:443`]);
    // The certificate is that of another host, so the proxy has led elsewhere.
    expect(await codeOf(client.get("https://other.test/a", named))).toBe("CHORALE_NET_TLS");
  });

  test("is told who the user is", async () => {
    const site = await serve({ "/": (_, response) => response.end("page") });
    const proxy = await serveProxy(() => site.port);
    const http_proxy = proxy.url.replace("//", "//me:secret@");
    const resolve = async (): Promise<string[]> => [PUBLIC];
    const client = openTestClient([], { proxy: { env: { http_proxy } }, resolve });
    await client.get("http://site.test/", named);
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    expect(proxy.headers[0]?.["proxy-authorization"]).toBe(basic);
    const byName = openTestClient([], {
      proxy: { env: { http_proxy }, resolvesNames: true },
      resolve,
    });
    await byName.get("http://site.test/", named);
    expect(proxy.headers[1]?.["proxy-authorization"]).toBe(basic);
  });

  test.each([
    ["http://10.0.0.1/"],
    ["http://169.254.169.254/latest/meta-data/"],
    ["https://[fd00::1]/"],
    ["http://inside.test/"],
    ["https://inside.test/"],
    ["http://0x0a000001/"],
  ])("is not asked for %s", async (url) => {
    const canary = await serve({});
    const proxy = await serveProxy(() => canary.port);
    const env = { http_proxy: proxy.url, https_proxy: proxy.url };
    for (const resolvesNames of [false, true]) {
      const client = openTestClient([], {
        proxy: { env, resolvesNames },
        resolve: async () => ["192.168.0.1"],
      });
      expect(await codeOf(client.get(url, named))).toBe("CHORALE_NET_ADDRESS");
    }
    expect([proxy.asked, canary.asked]).toEqual([[], []]);
  });

  test("is no way around the guard for a name that it would resolve to something inside", async () => {
    const canary = await serve({ "/": (_, response) => response.end("secret") });
    // To this proxy the name stands for the canary, and the address for nothing.
    const proxy = await serveProxy((host) => (host === PUBLIC ? null : canary.port));
    const env = { http_proxy: proxy.url, https_proxy: proxy.url };
    const client = openTestClient([], { proxy: { env }, resolve: async () => [PUBLIC] });
    for (const url of ["http://rebind.test/", "https://rebind.test/"]) {
      expect(await codeOf(client.get(url, named))).toBe("CHORALE_NET_PROXY");
    }
    expect(canary.asked).toEqual([]);
  });

  test("cannot be asked for as a page, nor led to by a redirect", async () => {
    const proxy = await serveProxy(() => site.port);
    const site = await serve({
      "/": (_, response) => response.writeHead(302, { location: `${proxy.url}/` }).end(),
    });
    const client = openTestClient([], {
      proxy: { env: { http_proxy: proxy.url } },
      resolve: async () => [PUBLIC],
    });
    expect(await codeOf(client.get(`${proxy.url}/`, named))).toBe("CHORALE_NET_ADDRESS");
    expect(await codeOf(client.get("http://site.test/", named))).toBe("CHORALE_NET_ADDRESS");
    expect(proxy.asked).toEqual([`CONNECT ${PUBLIC}:80`]);
  });

  test("is not asked for an exception, which the guard still judges", async () => {
    const site = await serve({ "/": (_, response) => response.end("near") });
    const proxy = await serveProxy(() => null);
    const env = { http_proxy: proxy.url, no_proxy: "site.test" };
    const near = openTestClient([site.port], { proxy: { env } });
    expect(text((await near.get(site.at("/"), named)).bytes)).toBe("near");
    const strict = openTestClient([], { proxy: { env } });
    expect(await codeOf(strict.get(site.at("/"), named))).toBe("CHORALE_NET_ADDRESS");
    expect(proxy.asked).toEqual([]);
  });

  test("that refuses is named, with what to do", async () => {
    const proxy = await serveProxy(
      () => null,
      (line) => (line.includes("443") ? 403 : 407),
    );
    const client = openTestClient([], {
      proxy: { env: { http_proxy: proxy.url, https_proxy: proxy.url } },
      resolve: async () => [PUBLIC],
    });
    await expect(client.get("https://site.test/", named)).rejects.toThrow(
      `The proxy 127.0.0.1:${proxy.port} refused to connect to ${PUBLIC}:443 (403); where it connects to names only, let it resolve them (resolvesNames, --proxy-resolves).`,
    );
    await expect(client.get("http://site.test/", named)).rejects.toThrow(/wants a user name and/);
  });

  test("that is not there, or is no proxy, is named", async () => {
    const resolve = async (): Promise<string[]> => [PUBLIC];
    const gone = openTestClient([], {
      proxy: { env: { http_proxy: "http://127.0.0.1:1" } },
      resolve,
    });
    await expect(gone.get("http://site.test/", named)).rejects.toThrow(
      /^The proxy 127\.0\.0\.1:1 cannot be reached: /,
    );
    const socks = openTestClient([], { proxy: { env: { all_proxy: "socks5://p:1" } }, resolve });
    expect(await codeOf(socks.get("http://site.test/", named))).toBe("CHORALE_NET_PROXY");
  });
});

describe("a proxy that resolves names", () => {
  test("is given names: in tunnels, and in the requests of http", async () => {
    const site = await serve({
      "/a?b=c": (request, response) => response.end(`plain ${request.headers.host}`),
    });
    const authority = await createAuthority();
    const certificate = await authority.issue("secure.test");
    const secure = createSecureServer(certificate, (_, response) => response.end("secure"));
    const securePort = await listen(secure);
    const proxy = await serveProxy((_, port) => (port === "443" ? securePort : site.port));
    const client = openTestClient([], {
      proxy: { env: { all_proxy: proxy.url }, resolvesNames: true },
      // Many networks with such a proxy do not know the names of the internet.
      resolve: () => Promise.reject(new Error("ENOTFOUND")),
      ca: authority.certificate,
    });
    expect(text((await client.get("http://site.test/a?b=c", named)).bytes)).toBe("plain site.test");
    expect(text((await client.get("https://secure.test/", named)).bytes)).toBe("secure");
    expect(proxy.asked).toEqual(["GET http://site.test/a?b=c", "CONNECT secure.test:443"]);
  });

  test.each(["intranet", "wiki.corp", "printer.local", "a.internal.", "router.home.arpa"])(
    "is not asked for %s",
    async (host) => {
      const proxy = await serveProxy(() => null);
      const client = openTestClient([], {
        proxy: { env: { all_proxy: proxy.url }, resolvesNames: true },
        resolve: () => Promise.reject(new Error("ENOTFOUND")),
      });
      for (const scheme of ["http", "https"]) {
        expect(await codeOf(client.get(`${scheme}://${host}/`, named))).toBe("CHORALE_NET_ADDRESS");
      }
      expect(proxy.asked).toEqual([]);
    },
  );
});
