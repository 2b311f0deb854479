/** `chorale search` and `chorale open`, and what the flags about the web mean. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { webConfiguration, webNote } from "../../runtime/cli/web-configuration.ts";
import { answer, serveSearch } from "../tools/search-providers/service.ts";
import { inProcess } from "./in-process.ts";

const home = mkdtempSync(join(tmpdir(), "chorale-search-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const env = { CHORALE_HOME: home, XDG_CONFIG_HOME: join(home, "none") };
const chorale = (...argv: readonly string[]) => inProcess(argv, env);
const path = (relative: string): string =>
  fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const docs = path("test/fixtures/docs");

const serveSearxng = () =>
  serveSearch(({ query }) => ({
    headers: { "content-type": "application/json" },
    body: query["q"] === "xyzzy" ? '{"results":[]}' : answer("searxng.json"),
  }));

describe("chorale search", () => {
  test("shows what a service finds", async () => {
    const { url } = await serveSearxng();
    const { code, stdout, stderr } = await chorale("search", "--searxng", url, "tide", "lamp");
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout:
        "1. The lamp & the tide\n   https://tide.example/lamp\n   How the lamp was lit in 1868.\n",
      stderr: "",
    });
  });

  test("writes JSON for a program", async () => {
    const { url } = await serveSearxng();
    const { code, stdout } = await chorale("search", "--searxng", url, "--json", "tide");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      query: "tide",
      results: [
        {
          rank: 1,
          url: "https://tide.example/lamp",
          title: "The lamp & the tide",
          summary: "How the lamp was lit in 1868.",
        },
      ],
    });
  });

  test("has status 1 where nothing is found, or no service answers", async () => {
    const { url } = await serveSearxng();
    expect(await chorale("search", "--searxng", url, "xyzzy")).toEqual({
      code: 1,
      stdout: "",
      stderr: 'Nothing was found for "xyzzy".\n',
    });
    const none = await chorale("search", "--searxng", "http://127.0.0.1:1", "tide");
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^searxng cannot be asked: 127\.0\.0\.1.* cannot be reached/);
  });

  test("has status 2 for what cannot be asked", async () => {
    expect(await chorale("search", "--search", "brave", "tide")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "Searching with brave (Brave Search) needs BRAVE_API_KEY or BRAVE_SEARCH_API_KEY in the environment.\n",
    });
    expect((await chorale("search", "--search", "wikipdia", "tide")).stderr).toContain(
      "did you mean wikipedia?",
    );
  });

  test("searches a folder alone, and beside the web where that is asked for", async () => {
    const alone = await chorale("search", "--docs", docs, "winter");
    expect(alone).toMatchObject({ code: 0, stderr: "" });
    expect(alone.stdout).toMatch(/^1\. Opening hours\n {3}visit\/opening-hours\.html\n/);
    const { url } = await serveSearxng();
    const both = await chorale("search", "--docs", docs, "--searxng", url, "--json", "winter");
    const urls = JSON.parse(both.stdout).results.map((result: { url: string }) => result.url);
    expect(urls.slice(0, 2)).toEqual(["visit/opening-hours.html", "https://tide.example/lamp"]);
  });

  test("finds what the service of a plugin finds", async () => {
    const plugin = path("examples/search-plugin");
    const granted = ["--plugin", plugin, "--grant", `fs:read:${plugin}/links`];
    const { code, stdout } = await chorale("search", ...granted, "--search", "links", "http");
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        "1. HTTP Semantics (RFC 9110)\n   https://www.rfc-editor.org/rfc/rfc9110.html\n   In the list team.txt.\n",
    });
    const listed = await chorale("tools", "list", ...granted, "--json");
    expect(listed.code).toBe(0);
    expect(listed.stdout).not.toContain("links");
    const tried = await chorale("tools", "test", plugin, "--grant", `fs:read:${plugin}/links`);
    expect(tried).toMatchObject({ code: 0, stdout: "1 passed, 0 failed\n" });
  });
});

describe("chorale open", () => {
  test("shows a page of a server, also of this machine where that is allowed", async () => {
    const { url } = await serveSearch(() => ({
      headers: { "content-type": "text/html" },
      body: '<title>Hi</title><h1>Hello</h1><p>See <a href="/x">x</a>.',
    }));
    const allowed = ["--allow-private-host", new URL(url).host];
    expect(await chorale("open", url, ...allowed)).toEqual({
      code: 0,
      stdout: `Hi\nURL: ${url}/\n# Hello\n\nSee x.\n`,
      stderr: "",
    });
  });

  test("shows a document: as text, with the numbers of its lines, with its links", async () => {
    const open = (...flags: string[]) =>
      chorale("open", "--docs", docs, "collection/lens.md", ...flags);
    const plain = await open();
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(
      /^The lens of the Skerry lighthouse\nURL: collection\/lens\.md\n# The lens/,
    );
    expect(plain.stdout).not.toContain("【");
    expect((await open("--numbers")).stdout).toMatch(
      /^L0: \nL1: URL: collection\/lens\.md\nL2: # /,
    );
    expect((await open("--links")).stdout).toMatch(/\n\[0\] visit\/tickets\.md\n\[1\] .+\n$/);
  });

  test("finds a text in it", async () => {
    const find = (text: string, ...flags: string[]) =>
      chorale("open", "--docs", docs, "collection/lens.md", "--find", text, ...flags);
    const { code, stdout } = await find("prisms");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^L11: .*Two prisms broke on the\nL12: /);
    expect(await find("xyzzy")).toEqual({
      code: 1,
      stdout: "",
      stderr: '"xyzzy" does not stand on the page.\n',
    });
    const json = JSON.parse((await find("prisms", "--json")).stdout);
    expect(json.matches).toEqual([{ line: 11, text: expect.stringContaining("Two prisms") }]);
    expect(json.lines[11]).toContain("Two prisms");
    expect(json.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  test("has status 1 and says why where there is no page", async () => {
    const missing = await chorale("open", "--docs", docs, "nope.md");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("nope.md cannot be opened: there is no such document.");
    const refused = await chorale("open", "http://127.0.0.1:8080/");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /is loopback; .* --allow-private-host 127\.0\.0\.1 allows that/s,
    );
    const odd = await chorale("open", "file:///etc/passwd");
    expect(odd).toMatchObject({ code: 1, stdout: "" });
    expect(odd.stderr).toContain("it is no URL; accepted: http:// or https://.");
  });
});

test("a run says whom it may ask", () => {
  expect(webNote({})).toBe(
    "the model may open pages of the web, and search it with duckduckgo or mojeek.",
  );
  expect(webNote({ searxng: "x" })).toMatch(/ search it with searxng\.$/);
  expect(webNote({ search: ["brave/exa", "wikipedia"] })).toMatch(/ brave or exa, wikipedia\.$/);
  expect(webNote({ search: [] })).toMatch(/ no service\.$/);
});

test("nothing asks the web unless a flag does", () => {
  const none = { search: undefined, searxng: undefined };
  const fetching = {
    allowDomain: undefined,
    blockDomain: undefined,
    allowPrivateHost: undefined,
    offline: false,
    proxyResolves: false,
  };
  const of = (flags: Partial<Parameters<typeof webConfiguration>[0]>) =>
    webConfiguration({ web: false, ...none, ...fetching, ...flags });
  expect(of({})).toBeUndefined();
  expect(of({ search: ["local"] })).toBeUndefined();
  expect(of({ offline: true, allowDomain: ["a.test"] })).toBeUndefined();
  expect(of({ web: true })).toEqual({
    ...none,
    client: {
      allowDomains: undefined,
      blockDomains: undefined,
      allowPrivateHosts: undefined,
      isOffline: false,
      proxy: { resolvesNames: false },
    },
  });
  expect(of({ search: ["local", "wikipedia"] })).toMatchObject({ search: ["local", "wikipedia"] });
  expect(of({ searxng: "http://localhost:8888" })).toMatchObject({
    searxng: "http://localhost:8888",
  });
});
