import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packagesLoadedBy } from "../structure/import-graph.ts";

const root = new URL("../../", import.meta.url);
const packagesOf = (entry: string) =>
  packagesLoadedBy(entry, (path) => readFileSync(new URL(path, root), "utf8"));

test("importing the tools loads no package; each is loaded where it is used", () => {
  expect(packagesOf("tools/index.ts")).toEqual([]);
  expect(packagesOf("tools/browser/documents/extract-task.ts")).toEqual(["htmlparser2"]);
});
