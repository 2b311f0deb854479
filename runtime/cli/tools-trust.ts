/** `chorale tools trust`: tools that are not asked about again until they change. */
import type { Tool } from "../../tools/index.ts";
import { describeChange, fingerprintOf, policyStore, toolFacts } from "../environment.ts";
import { UsageError } from "../errors.ts";
import { homePath } from "../home.ts";
import type { FilePolicyStore } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { openKnownTools, type ToolSources } from "./known-tools.ts";
import type { Output } from "./output.ts";
import { visibleText } from "./terminal-text.ts";
import { orHere, signature } from "./tools.ts";

type TrustArguments = ToolSources & {
  readonly tools: readonly string[];
  readonly list: boolean;
  readonly revoke: boolean;
  readonly json: boolean;
};

/** @throws UsageError for a name that is no tool; ToolsError, PolicyStoreError */
export async function trustCommand(
  { tools: names, list, revoke, json, ...sources }: TrustArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env } = context;
  const store = policyStore(homePath(env));
  if (list) return listTrusted(store, json, output);
  if (revoke) return revokeAll(store, names, output);
  const hasServers = sources.mcp.length > 0 || names.some((name) => name.includes("mcp__"));
  const given = hasServers ? sources : { ...sources, ...orHere(sources) };
  await using known = await openKnownTools(given, names, context);
  for (const tool of chosen(names, known.tools)) {
    const { recipient } = tool;
    const before = await store.trusted(recipient);
    const fingerprint = fingerprintOf(tool);
    await store.remember({
      decision: "allow",
      scope: "always",
      tool: recipient,
      fingerprint,
      isTainted: false,
    });
    await store.trust(tool, recipient);
    const change =
      before === null || before.fingerprint === fingerprint
        ? null
        : describeChange(before.definition, tool);
    if (json) {
      output.jsonLine({
        name: recipient,
        fingerprint,
        ...toolFacts(tool),
        ...(change && { change }),
      });
      continue;
    }
    const state =
      before === null ? "is trusted" : change === null ? "was trusted" : "is trusted anew";
    const facts = Object.entries(toolFacts(tool)).map(([name, value]) => `${name}: ${value}`);
    output.line(visibleText(`${recipient} ${state} (${facts.join(", ")}).`));
    output.line(visibleText(change ?? signature(tool)));
  }
  return EXIT.ok;
}

async function listTrusted(
  store: FilePolicyStore,
  json: boolean,
  output: Output,
): Promise<ExitCode> {
  const trusted = await store.allTrusted();
  for (const { name, fingerprint, trustedAt, definition } of trusted) {
    if (json) output.jsonLine({ name, fingerprint, trustedAt, ...definition });
    else output.line(visibleText(`${name}  since ${trustedAt}`));
  }
  if (!json && trusted.length === 0) output.line("No tool is trusted.");
  return EXIT.ok;
}

async function revokeAll(
  store: FilePolicyStore,
  names: readonly string[],
  output: Output,
): Promise<ExitCode> {
  if (names.length === 0) throw new UsageError("Name the tools to revoke; --list shows them.");
  for (const name of names) {
    const candidates = name.includes(".") ? [name] : [name, `functions.${name}`];
    let isFound = false;
    for (const candidate of candidates) isFound = (await store.revoke(candidate)) || isFound;
    if (!isFound)
      throw new UsageError(`${JSON.stringify(name)} is not trusted; --list shows what is.`);
    output.line(visibleText(`${name} is not trusted any more.`));
  }
  return EXIT.ok;
}

function chosen(names: readonly string[], tools: readonly Tool[]): readonly Tool[] {
  if (names.length === 0) return tools;
  return names.map((name) => {
    const found = tools.find(
      ({ recipient }) => recipient === name || recipient === `functions.${name}`,
    );
    if (found !== undefined) return found;
    const known = tools.map(({ recipient }) => recipient).join(", ");
    throw new UsageError(`There is no tool ${JSON.stringify(name)}; there are ${known}.`);
  });
}
