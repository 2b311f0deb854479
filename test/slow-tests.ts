/** Which tests `npm run test:fast` leaves out. */
import { globSync, readFileSync } from "node:fs";
import { importsOf } from "./structure/import-graph.ts";

/**
 * They load many models, play thousands of conversations, unpack much, wait for servers that are slow, or use
 * processes that their text does not name.
 */
const SLOW = [
  "test/cli/**/*.test.ts",
  "test/conformance/**/*.test.ts",
  "test/inference/{broken-numbers,loading,screening,shapes}.test.ts",
  "test/harmony/byte-level-lists.test.ts",
  "test/inference/constrain/o200k.test.ts",
  "test/runtime/{golden,replay,thread-log}.test.ts",
  "test/runtime/minions/decompose.test.ts",
  "test/runtime/server/many-requests.test.ts",
  "test/runtime/server/page/page-browser.test.ts",
  "test/tools/web/{faults,ssrf}.test.ts",
];

/** What starts Python, a plugin, an MCP server, or anything else in a process of its own. */
const STARTS =
  /\b(?:createPythonTool|PythonSession|PythonWarmPool|loadPlugin|openMcpServers|serveMcpHttp|SupervisedChild)\(/;

/**
 * @param root  the repository's folder, with a slash at its end
 * @returns paths of tests that start processes, themselves or by a helper of this folder, or are slow
 */
export function slowTests(root: string): string[] {
  const known = new Map<string, boolean>();
  const startsProcesses = (path: string): boolean => {
    const found = known.get(path);
    if (found !== undefined) return found;
    known.set(path, false);
    const text = readFileSync(root + path, "utf8");
    const starts =
      STARTS.test(text) ||
      importsOf({ path, text }).some(
        ({ specifier, target, kind }) =>
          kind !== "type" &&
          (specifier === "node:child_process" ||
            (target?.startsWith("test/") && startsProcesses(target))),
      );
    known.set(path, starts);
    return starts;
  };
  const listed = globSync(SLOW, { cwd: root });
  const exclude = ["test/package/**", "test/clients/**", "test/llama/**"];
  const tests = globSync("test/**/*.test.ts", { cwd: root, exclude });
  return [...new Set([...listed, ...tests.filter(startsProcesses)])].sort();
}
