import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRobots } from "../../../tools/net/web/robots.ts";
import { codeOf, openTestClient, serve } from "./loopback.ts";

const golden = readFileSync(new URL("../../golden/web/robots.md", import.meta.url), "utf8");
const cases = golden
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const [, kind, file = ""] = /^```robots( escaped)?\n([\s\S]*?)^```$/m.exec(section) ?? [];
    return {
      name: section.slice(0, section.indexOf("\n")),
      text:
        kind === undefined
          ? file
          : (JSON.parse(`"${file.trim().replaceAll("\t", "\\t")}"`) as string),
      paths: [...section.matchAll(/^([+-]) (\/.*)$/gm)].map(([, sign, path = ""]) => ({
        path,
        isAllowed: sign === "+",
      })),
    };
  });

describe("a robots.txt", () => {
  test.each(cases)("$name", ({ text, paths }) => {
    const rules = parseRobots(text, "chorale/1.0");
    const found = paths.map(({ path }) => `${rules.isAllowed(path) ? "+" : "-"} ${path}`);
    expect(found).toEqual(paths.map(({ path, isAllowed }) => `${isAllowed ? "+" : "-"} ${path}`));
    expect(found.length).toBeGreaterThan(0);
  });

  test.each([
    ["User-agent: *\nCrawl-delay: 10", 10],
    ["User-agent: *\nCrawl-delay: 0.5\nUser-agent: chorale\nCrawl-delay: 2", 2],
    ["User-agent: chorale\nCrawl-delay: 2\nUser-agent: chorale\nCrawl-delay: 3", 3],
    ["User-agent: *\nCrawl-delay: soon", null],
    ["User-agent: *\nCrawl-delay: -1", null],
    ["Crawl-delay: 5\nUser-agent: *\nDisallow: /a", null],
  ])("%j wants a pause of %j s", (text, delay) => {
    expect(parseRobots(text, "chorale").crawlDelay).toBe(delay);
  });

  test("stars stand for anything, as a regular expression has them", () => {
    const part = fc.stringMatching(/^[ab*]{0,8}$/);
    fc.assert(
      fc.property(part, fc.boolean(), fc.stringMatching(/^[ab]{0,12}$/), (middle, isEnd, path) => {
        const { isAllowed } = parseRobots(
          `User-agent: *\nDisallow: /${middle}${isEnd ? "$" : ""}`,
          "x",
        );
        const expression = new RegExp(`^/${middle.replaceAll("*", ".*")}${isEnd ? "$" : ""}`);
        expect(isAllowed(`/${path}`)).toBe(!expression.test(`/${path}`));
      }),
      { numRuns: 500 },
    );
  });

  test("of any content is read, and a hostile one ends soon", () => {
    fc.assert(
      fc.property(fc.string(), fc.webPath(), (text, path) => {
        parseRobots(text, "chorale").isAllowed(path);
      }),
    );
    // A matcher that tried every way to spread the stars would not come back in a lifetime.
    const stars = `Disallow: /${"*a".repeat(30_000)}b\n`;
    const { isAllowed } = parseRobots(`User-agent: *\n${stars.repeat(8)}`, "chorale");
    expect(isAllowed(`/${"a".repeat(8_000)}`)).toBe(true);
  });
});

const crawl = { purpose: "crawl" } as const;
const named = { purpose: "named by the user" } as const;

describe("a client", () => {
  test("heeds it where it follows links, not for what the user named", async () => {
    const site = await serve({
      "/robots.txt": (_, response) => response.end("User-agent: *\nDisallow: /private"),
      "/private": (_, response) => response.end("private"),
      "/public": (_, response) => response.end("public"),
      "/to-private": (_, response) => response.writeHead(302, { location: "/private" }).end(),
    });
    const client = openTestClient([site.port]);
    expect((await client.get(site.at("/public"), crawl)).status).toBe(200);
    expect(await codeOf(client.get(site.at("/private"), crawl))).toBe("CHORALE_NET_ROBOTS");
    expect(await codeOf(client.get(site.at("/to-private"), crawl))).toBe("CHORALE_NET_ROBOTS");
    expect(site.asked).toEqual(["/robots.txt", "/public", "/to-private"]);
    expect((await client.get(site.at("/private"), named)).status).toBe(200);
  });

  test.each([
    [404, "none"],
    [403, "none"],
    [410, "none"],
    [500, "CHORALE_NET_ROBOTS"],
    [503, "CHORALE_NET_ROBOTS"],
    [429, "CHORALE_NET_ROBOTS"],
  ])("takes a robots.txt that answers %i for %s", async (status, code) => {
    const site = await serve({
      "/robots.txt": (_, response) => response.writeHead(status).end("User-agent: *\nDisallow: /"),
    });
    const client = openTestClient([site.port]);
    expect(await codeOf(client.get(site.at("/page"), crawl))).toBe(code);
  });

  test("takes one that breaks off, or is not reached, for closed", async () => {
    const site = await serve({ "/robots.txt": ({ socket }) => socket.destroy() });
    const client = openTestClient([site.port]);
    expect(await codeOf(client.get(site.at("/page"), crawl))).toBe("CHORALE_NET_ROBOTS");
    expect(site.asked).not.toContain("/page");
  });

  test("asks once for pages that are wanted together, whoever gives up", async () => {
    const abort = new AbortController();
    const first = Promise.withResolvers<void>();
    let asked = 0;
    const site = await serve({
      "/robots.txt": (_, response) => {
        // The first answer never comes.
        if (++asked > 1) response.end("User-agent: *\nDisallow: /closed");
        else first.resolve();
      },
      ...Object.fromEntries(
        ["/1", "/2"].map((path) => [path, (_, response) => response.end(path)]),
      ),
    });
    const client = openTestClient([site.port]);
    const given = client.get(site.at("/1"), { ...crawl, signal: abort.signal });
    const waiting = ["/1", "/2", "/closed"].map((path) => codeOf(client.get(site.at(path), crawl)));
    await first.promise;
    abort.abort();
    expect(await codeOf(given)).toBe("CHORALE_NET_ABORTED");
    expect(await Promise.all(waiting)).toEqual(["none", "none", "CHORALE_NET_ROBOTS"]);
    const again = ["/1", "/2"].map((path) => codeOf(client.get(site.at(path), crawl)));
    expect(await Promise.all(again)).toEqual(["none", "none"]);
    expect(asked).toBeLessThanOrEqual(4);
  });

  test("is not led inside by the redirect of a robots.txt", async () => {
    const inside = await serve({});
    const site = await serve({
      "/robots.txt": (_, response) => {
        response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/` }).end();
      },
    });
    const client = openTestClient([site.port]);
    expect(await codeOf(client.get(site.at("/page"), crawl))).toBe("CHORALE_NET_ADDRESS");
    expect(inside.asked).toEqual([]);
  });
});
