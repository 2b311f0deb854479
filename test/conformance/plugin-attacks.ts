/** Runs hostile plugin code against canaries, behind both layers or one of them, and says what it reached. */
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { ToolResult } from "../../tools/core/tool.ts";
import { loadPlugin, type Plugin, parseGrants, readManifest } from "../../tools/plugins/index.ts";
import { startPlugin } from "../../tools/plugins/plugin.ts";
import {
  ATTACKER,
  CANARY,
  callAttack,
  LATER,
  openPluginRange,
  PING,
  toolOf,
  writePlugin,
} from "../fixtures/plugin-range.ts";
import type { Attack } from "../tools/plugin-attacks.ts";
import type { Layers } from "./attacks.ts";
import { type CaseResult, ConformanceInputError } from "./case-result.ts";

const VARIABLE = "CHORALE_CANARY";
/** Two seconds to end a call and some to start the process again, on a machine with other work. */
const ANSWER_WITHIN_MS = 60_000;

/**
 * @param paths  modules that export lists of attacks, like `test/tools/plugin-attacks.ts`
 * @throws ConformanceInputError
 */
export async function* runPluginAttacks(
  paths: readonly string[],
  layers: Layers,
): AsyncGenerator<CaseResult> {
  for (const path of paths) {
    const lists: unknown[] = Object.values(await import(pathToFileURL(path).href));
    const attacks = lists.flat().filter(isAttack);
    if (attacks.length === 0) throw new ConformanceInputError(`${path} exports no attacks.`);
    const range = await openRange(attacks, layers);
    try {
      for (const attack of attacks) yield await range.run(attack);
    } finally {
      await range.close();
    }
  }
}

function isAttack(value: unknown): value is Attack {
  const { name, code } = (value ?? {}) as Partial<Attack>;
  return typeof name === "string" && typeof code === "string";
}

type Range = { run(attack: Attack): Promise<CaseResult>; close(): Promise<void> };

async function openRange(attacks: readonly Attack[], layers: Layers): Promise<Range> {
  const { root, secret, input, grants, env, net, ...range } = await openPluginRange();
  process.env[VARIABLE] = CANARY;
  const isolation = layers === "process" ? "process" : "isolate";
  const code = toolOf([...attacks, LATER]);
  let logged = "";
  const attacker: Plugin = await startPlugin(
    await readManifest(writePlugin(root, "attacker", code, { ...ATTACKER, isolation }), root),
    {
      folder: root,
      grant: parseGrants([...grants, "process"]),
      env,
      net,
      tools: () => attacker.tools,
      onLog: (text) => {
        logged += text;
      },
    },
  );
  const quiet = { entry: ATTACKER.entry };
  const neighbour = await loadPlugin(writePlugin(root, "neighbour", toolOf([PING]), quiet));
  const listing = (): string => readdirSync(root).sort().join();
  const before = listing();

  const call = (from: Plugin, attack: string): Promise<ToolResult | null> =>
    Promise.race([
      callAttack(from, attack, input, ANSWER_WITHIN_MS),
      new Promise<null>((resolve) => setTimeout(resolve, ANSWER_WITHIN_MS, null).unref()),
    ]);

  return {
    async run({ name }) {
      logged = "";
      range.takeVictimRequests();
      const startedAt = performance.now();
      const result = await call(attacker, name);
      const ms = Math.round(performance.now() - startedAt);
      const later = await call(attacker, LATER.name);
      const said = `${JSON.stringify([result, later])}${logged}`;
      const reached = Object.entries({
        LEAK: said.includes(CANARY),
        WRITE: listing() !== before || readFileSync(secret, "utf8") !== CANARY,
        NET: range.takeVictimRequests() > 0,
        POLLUTED:
          Object.keys(Object.prototype).length > 0 ||
          ({} as { polluted?: unknown }).polluted !== undefined,
        LATER: later?.text !== undefined && /^ran/.test(later.text),
        NEIGHBOUR: (await call(neighbour, PING.name))?.text !== "pong",
        HANG: result === null,
        // Alone, the isolate would have been in the agent's own process.
        CRASH: layers === "isolate" && /ended by SIG/.test(result?.text ?? ""),
      }).flatMap(([what, is]) => (is ? [what] : []));
      const got = { reached, text: result?.text.slice(0, 200), ms };
      return { id: name, pass: reached.length === 0, got, expected: "contained" };
    },
    async close() {
      await Promise.allSettled([attacker.close(), neighbour.close()]);
      delete process.env[VARIABLE];
      range.close();
    },
  };
}
