/** Server-side request forgery: a list of ways in, none of which may reach a canary on this machine. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { describe, expect, test } from "vitest";
import type { Resolver, WebClient, WebClientOptions } from "../../../tools/net/index.ts";
import { codeOf, listen, openTestClient, serve } from "./loopback.ts";
import { serveProxy } from "./proxy-server.ts";

const named = { purpose: "named by the user" } as const;
const PUBLIC = "93.184.216.34";
const golden = readFileSync(new URL("../../golden/web/ssrf.md", import.meta.url), "utf8");

type Line = { readonly code: string; readonly text: string };

/** Of one section: the code of each line, and what leads to it. */
function linesOf(section: string): readonly Line[] {
  const [, body = ""] = golden.split(new RegExp(`^## ${section}$`, "m"));
  const [own = ""] = body.split(/^## /m);
  return [...own.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, code, text = ""]) => ({
    code: `CHORALE_NET_${code}`,
    text: JSON.parse(`"${text.replaceAll('"', '\\"')}"`) as string,
  }));
}

/** Addresses and aliases; the resolver below follows the aliases, as the system's does. */
type Zone = Readonly<Record<string, readonly string[] | string>>;

const ZONE: Zone = {
  localhost: ["127.0.0.1", "::1"],
  "localhost.": ["127.0.0.1", "::1"],
  "127.0.0.1.nip.io": ["127.0.0.1"],
  "metadata.google.internal": ["169.254.169.254"],
  metadata: ["169.254.169.254"],
  "instance-data": ["169.254.169.254"],
  "loop.test": "loop.test",
  "inner.test": ["127.0.0.1"],
};
const MOST_ALIASES = 8;

function resolverOf(zone: Zone): Resolver {
  return async (name) => {
    let found: readonly string[] | string | undefined = zone[name];
    for (let alias = 0; typeof found === "string" && alias < MOST_ALIASES; alias++)
      found = zone[found];
    if (found === undefined || typeof found === "string") {
      throw Object.assign(new Error(`${name} is not found`), { code: "ENOTFOUND" });
    }
    return found;
  };
}

/** Listens on the same port of 127.0.0.1 and, where the system has it, ::1. */
async function startCanary(): Promise<{ readonly port: number; readonly reached: string[] }> {
  const reached: string[] = [];
  const note: RequestListener = (request, response) => {
    reached.push(`${request.headers.host}${request.url}`);
    response.end("secret");
  };
  const server = createServer(note);
  server.on("connection", () => reached.push("a connection"));
  const port = await listen(server);
  const second = createServer(note);
  second.on("connection", () => reached.push("a connection"));
  await listen(second, "::1", port).catch(() => {});
  return { port, reached };
}

/** A client that connects by itself, and two that have a proxy whose inside is the canary. */
async function clientsOf(
  canary: number,
  options: Partial<WebClientOptions>,
): Promise<{ readonly clients: readonly WebClient[]; readonly asked: readonly string[] }> {
  const proxy = await serveProxy((host) => (host === PUBLIC ? null : canary));
  const env = { http_proxy: proxy.url, https_proxy: proxy.url };
  const proxies = [undefined, { env }, { env, resolvesNames: true }];
  return {
    clients: proxies.map((to) => openTestClient([], { proxy: to, ...options })),
    asked: proxy.asked,
  };
}

test("the canary sings where it is allowed", async () => {
  const { port, reached } = await startCanary();
  const client = openTestClient([], { allowPrivateHosts: [`127.0.0.1:${port}`] });
  await client.get(`http://127.0.0.1:${port}/`, named);
  expect(reached).toEqual(["a connection", `127.0.0.1:${port}/`]);
});

describe("no request", () => {
  test("to a URL", async () => {
    const { port, reached } = await startCanary();
    const { clients, asked } = await clientsOf(port, { resolve: resolverOf(ZONE) });
    const lines = linesOf("URLs");
    for (const { code, text } of lines) {
      const url = text.replaceAll("{port}", String(port));
      for (const client of clients) {
        expect.soft(await codeOf(client.get(url, named)), text).toBe(code);
      }
    }
    expect(lines.length).toBeGreaterThan(120);
    expect([reached, asked]).toEqual([[], []]);
  });

  test("to what a name stands for", async () => {
    const { port, reached } = await startCanary();
    const lines = linesOf("Names");
    for (const { code, text } of lines) {
      const answers = text.split(" then ");
      let question = 0;
      const resolve: Resolver = (name) => {
        if (name !== "name.test") return resolverOf(ZONE)(name);
        const answer = answers[Math.min(question++, answers.length - 1)] ?? "";
        const parts = answer.split(" -> ").map((part) => part.replace(/^-> /, ""));
        const last = parts.at(-1) ?? "";
        const isAlias = answer.startsWith("-> ") && ZONE[last] !== undefined;
        if (isAlias) return resolverOf(ZONE)(last);
        if (last === "nothing") return Promise.resolve([]);
        return Promise.resolve(last.split(", ").map((part) => part.replace("public", PUBLIC)));
      };
      // By a proxy, since what stands for the public internet is not there otherwise; it leads to the canary.
      const proxy = await serveProxy((host) => (host === PUBLIC ? null : port));
      const client = openTestClient([], { proxy: { env: { http_proxy: proxy.url } }, resolve });
      expect.soft(await codeOf(client.get("http://name.test/", named)), text).toBe(code);
      // What is answered a moment later is judged in the same way.
      for (const _ of answers) await codeOf(client.get("http://name.test/", named));
      const others = proxy.asked.filter((line) => line !== `CONNECT ${PUBLIC}:80`);
      expect.soft(others, text).toEqual([]);
      if (code === "CHORALE_NET_PROXY" || text.includes("public")) continue;
      const direct = openTestClient([], { resolve });
      expect.soft(await codeOf(direct.get(`http://name.test:${port}/`, named)), text).toBe(code);
    }
    expect(lines.length).toBeGreaterThan(25);
    expect(reached).toEqual([]);
  });

  test("to where a redirect leads", async () => {
    const { port, reached } = await startCanary();
    const lines = linesOf("Redirects");
    for (const { code, text } of lines) {
      const [first = "", ...further] = text.replaceAll("{port}", String(port)).split(" => ");
      const [, status = "", location = ""] = /^(\d+) ([\s\S]*)$/.exec(first) ?? [];
      const left = [location, ...further];
      const site = await serve({});
      const answer: RequestListener = (_, response) => {
        const to = (left.shift() ?? "/").replaceAll("{site}", String(site.port));
        // As the socket takes it: a tab in a field is allowed.
        response.writeHead(Number(status), { location: to }).end();
      };
      site.routes["/"] = answer;
      site.routes["/hop"] = answer;
      for (const method of ["get", "post"] as const) {
        left.splice(0, left.length, location, ...further);
        const client = openTestClient([site.port]);
        const url = site.at("/");
        const page = method === "get" ? client.get(url, named) : client.post(url, "x", named);
        expect.soft(await codeOf(page), `${method} ${text}`).toBe(code);
      }
    }
    expect(lines.length).toBeGreaterThan(20);
    expect(reached).toEqual([]);
  });

  test("to what a page or its head only mentions", async () => {
    const { port, reached } = await startCanary();
    const inside = `http://127.0.0.1:${port}/`;
    const site = await serve({
      "/": (_, response) => {
        response.writeEarlyHints({ link: `<${inside}>; rel=preload; as=style` });
        response.writeHead(200, {
          refresh: `0; url=${inside}`,
          link: `<${inside}>; rel=preload; as=style`,
          "alt-svc": `h2="127.0.0.1:${port}"; ma=60`,
          "content-location": inside,
          "content-type": "text/html",
        });
        response.end(`<meta http-equiv=refresh content="0; url=${inside}"><img src="${inside}">`);
      },
    });
    const client = openTestClient([site.port]);
    for (let time = 0; time < 2; time++) await client.get(site.at("/"), named);
    expect(reached).toEqual([]);
  });
});
