/**
 * `node --experimental-vm-modules run-in-context.ts`: the scenario in a context that has the language
 * itself, TextEncoder and TextDecoder, and nothing of Node. Prints the result as JSON.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { createContext, type Module, SourceTextModule } from "node:vm";

const context = createContext({ TextDecoder, TextEncoder });
const loaded = new Map<string, SourceTextModule>();

function load(url: URL): SourceTextModule {
  let module = loaded.get(url.href);
  if (module === undefined) {
    const code = stripTypeScriptTypes(readFileSync(url, "utf8"));
    module = new SourceTextModule(code, { context, identifier: url.href });
    loaded.set(url.href, module);
  }
  return module;
}

async function namespaceOf(url: URL): Promise<Module["namespace"]> {
  const module = load(url);
  await module.link((specifier, from) => load(new URL(specifier, from.identifier)));
  await module.evaluate();
  return module.namespace;
}

type Scenario = typeof import("./portable-scenario.ts");

const harmony = await namespaceOf(new URL("../../harmony/index.ts", import.meta.url));
const { portableScenario } = (await namespaceOf(
  new URL("portable-scenario.ts", import.meta.url),
)) as Scenario;
const packed = readFileSync(new URL("../../harmony/vocabulary/o200k.bin", import.meta.url));
const result = portableScenario(
  harmony as Parameters<Scenario["portableScenario"]>[0],
  Uint8Array.from(packed),
);
console.log(JSON.stringify(result));
