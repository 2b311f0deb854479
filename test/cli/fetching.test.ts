/** The flags about fetching, as a person uses them with `chorale open`, against servers on loopback. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Routes, type Site, serve } from "../tools/web/loopback.ts";
import { serveProxy } from "../tools/web/proxy-server.ts";
import { inProcess } from "./in-process.ts";

type Run = (...argv: readonly string[]) => ReturnType<typeof inProcess>;

/** `chorale open` with a state folder of its own. */
function opener(env: NodeJS.ProcessEnv = {}): Run {
  const home = mkdtempSync(join(tmpdir(), "chorale-fetching-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const own = { CHORALE_HOME: home, XDG_CONFIG_HOME: join(home, "none"), ...env };
  return (...argv) => inProcess(["open", ...argv], own);
}

async function serveAt(routes: Routes): Promise<Site & { readonly host: string }> {
  const site = await serve(routes);
  const host = `127.0.0.1:${site.port}`;
  return { ...site, host, at: (path) => `http://${host}${path}` };
}

const page =
  (text: string): Routes[string] =>
  (_, response) => {
    response.setHeader("content-type", "text/plain").end(text);
  };

test("a private host is opened where it is named", async () => {
  const { at, host, asked } = await serveAt({ "/": page("The lamp is lit.") });
  const open = opener();
  const refused = await open(at("/"));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("its address 127.0.0.1 is loopback");
  expect(asked).toEqual([]);
  const opened = await open(at("/"), "--allow-private-host", host);
  expect([opened.code, opened.stderr]).toEqual([0, ""]);
  expect(opened.stdout).toContain("The lamp is lit.");
});

test("domains are allowed and blocked, and nonsense is refused", async () => {
  const { at, host } = await serveAt({ "/": page("page") });
  const open = opener();
  const blocked = await open(
    at("/"),
    "--allow-private-host",
    host,
    "--block-domain",
    "a.test,127.0.0.1",
  );
  expect([blocked.code, blocked.stderr]).toEqual([
    1,
    `${at("/")} cannot be opened: ${host} was not asked: 127.0.0.1 is blocked.\n`,
  ]);
  const outside = await open("http://example.com/", "--allow-domain", "example.org");
  expect(outside.stderr).toContain("example.com was not asked: allowed: example.org.");
  const nonsense = await open(at("/"), "--allow-domain", "http://a/");
  expect([nonsense.code, nonsense.stdout]).toEqual([2, ""]);
  expect(nonsense.stderr).toContain('"http://a/" is no host');
  expect((await open(at("/"), "--allow-private-host", "*")).code).toBe(2);
});

test("offline, a page is the one that was fetched before", async () => {
  const { at, host, asked } = await serveAt({ "/": page("The lamp is lit.") });
  const open = opener();
  const none = await open(at("/"), "--offline");
  expect([none.code, none.stderr]).toEqual([
    1,
    `${at("/")} cannot be opened: ${at("/")} was not requested: this run is offline, and neither the cache nor the thread holds the page.\n`,
  ]);
  await open(at("/"), "--allow-private-host", host);
  const again = await open(at("/"), "--allow-private-host", host, "--offline");
  expect([again.code, again.stdout.includes("The lamp is lit.")]).toEqual([0, true]);
  expect(asked).toEqual(["/"]);
});

test("the environment's proxy is asked", async () => {
  const site = await serveAt({ "/": page("By way of the proxy.") });
  const proxy = await serveProxy(() => site.port);
  const open = opener({ HTTP_PROXY: proxy.url });
  // An address needs no resolver.
  const opened = await open("http://93.184.216.34/");
  expect(opened.stdout).toContain("By way of the proxy.");
  const byName = await open("http://93.184.216.34/", "--proxy-resolves");
  expect(byName.stdout).toContain("By way of the proxy.");
  expect(proxy.asked).toEqual(["CONNECT 93.184.216.34:80", "GET http://93.184.216.34/"]);
});
