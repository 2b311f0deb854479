/** What `chorale serve` may search for a request: never more than its flags allow. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  narrowed,
  openServeTools,
  type ServeToolsArguments,
} from "../../runtime/cli/serve-tools.ts";

const folder = mkdtempSync(join(tmpdir(), "serve-tools-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "oslo.md"), "It is 7 degrees in Oslo.");

const home = { path: folder, temporary: true, close: () => {} };
const NOTHING: ServeToolsArguments = {
  docs: undefined,
  noPython: true,
  web: false,
  search: undefined,
  searxng: undefined,
  allowDomain: undefined,
  blockDomain: undefined,
  allowPrivateHost: undefined,
  offline: false,
  proxyResolves: false,
};
const LIVE = { isLive: true, allowedDomains: [], contextSize: "medium" } as const;

test.each<[readonly string[], readonly string[] | undefined, readonly string[]]>([
  [["example.org"], undefined, ["example.org"]],
  [["example.org", "other.net"], ["example.org"], ["example.org"]],
  [["docs.example.org"], ["*.example.org"], ["docs.example.org"]],
  [["example.org"], ["docs.example.org"], ["docs.example.org"]],
  [["badexample.org"], ["example.org"], []],
])("of %j and %j come %j", (asked, allowed, both) => {
  expect(narrowed(asked, allowed)).toEqual(both);
});

test("without flags nothing is searched, and no program is run", async () => {
  await using opened = await openServeTools(NOTHING, home, {}, () => {});
  expect(await opened.tools.openWebSearch?.(LIVE)).toBeNull();
  expect(opened.tools.openCodeInterpreter).toBeUndefined();
});

test("documents are read also where the web is not to be asked", async () => {
  const notes: string[] = [];
  const args = { ...NOTHING, docs: folder };
  await using opened = await openServeTools(args, home, {}, (note) => notes.push(note));
  const session = await opened.tools.openWebSearch?.({ ...LIVE, isLive: false });
  expect(session?.tools.map(({ recipient }) => recipient)).toEqual([
    ...["browser.search", "browser.open", "browser.find"],
  ]);
});

test("with the web, a request that asks for no live pages gets the documents alone, or nothing", async () => {
  const args = { ...NOTHING, web: true, allowDomain: ["example.org"] };
  await using opened = await openServeTools(args, home, {}, () => {});
  const { openWebSearch } = opened.tools;
  expect(await openWebSearch?.({ ...LIVE, isLive: false })).toBeNull();
  expect((await openWebSearch?.(LIVE))?.tools).toHaveLength(3);
  // No domain is left: an empty list would allow all.
  expect(await openWebSearch?.({ ...LIVE, allowedDomains: ["other.net"] })).toBeNull();
  const narrow = await openWebSearch?.({ ...LIVE, allowedDomains: ["docs.example.org"] });
  expect(narrow?.tools).toHaveLength(3);
  await narrow?.close();
});
