/** `chorale policy show|check|trust`: the rules about calls, and what they say about one. No model is loaded. */
import {
  createPythonTool,
  needsApproval,
  type PreparedCall,
  prepareCall,
  pythonProblem,
  type Tool,
  type ToolContext,
} from "../../tools/index.ts";
import {
  type OpenedPolicy,
  openPolicy,
  projectPolicyPath,
  toolFacts,
  trustPolicyFile,
} from "../environment.ts";
import { messageOf, UsageError } from "../errors.ts";
import { configFolder, homePath } from "../home.ts";
import { DEFAULT_RULES, type PolicyAction, type PolicyRule } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { openKnownTools, type ToolSources } from "./known-tools.ts";
import { visibleText } from "./terminal-text.ts";

type PolicyArguments = { readonly policy: string | undefined };

/** @throws PolicyError, PolicyStoreError */
export async function showCommand(
  { policy: file, json }: PolicyArguments & { readonly json: boolean },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const { document, files, store } = await open(file, env);
  const answers = await store.allAnswers();
  const trusted = await store.allTrusted();
  if (json) {
    const tools = trusted.map(({ name, fingerprint, trustedAt }) => ({
      name,
      fingerprint,
      trustedAt,
    }));
    const otherwise = document.otherwise;
    const defaults = otherwise === "default" ? DEFAULT_RULES : [];
    output.jsonLine({ files, rules: document.rules, otherwise, defaults, answers, trusted: tools });
    return EXIT.ok;
  }
  const line = (text: string): void => output.line(visibleText(text));
  for (const { path, from, isTrusted } of files) {
    line(
      `${path} (${from}${isTrusted ? "" : "; does not count: trust it with chorale policy trust"})`,
    );
  }
  if (files.length === 0) line(`No policy file; ${configFolder(env)}/policy.yaml would be one.`);
  for (const rule of document.rules) line(ruleText(rule));
  line("");
  if (document.otherwise === "default") {
    line(
      "Where none of these applies, the tool's own wish to be asked for, then the default rules:",
    );
    for (const rule of DEFAULT_RULES) line(ruleText(rule));
  } else line(`Where none of these applies: ${document.otherwise}`);
  line("");
  line(answers.length === 0 ? "Answers for always: none" : "Answers for always:");
  for (const { decision, tool, argumentsHash } of answers) {
    line(
      `  ${decision.padEnd(6)} ${tool}${argumentsHash === undefined ? "" : " with the same arguments"}`,
    );
  }
  line(trusted.length === 0 ? "Trusted tools: none" : "Trusted tools:");
  for (const { name, trustedAt } of trusted)
    line(`  ${name}, as it was on ${trustedAt.slice(0, 10)}`);
  return EXIT.ok;
}

/** A rule in one line, its reason in a second one. */
function ruleText({ name = "", action, reason, ...conditions }: PolicyRule): string {
  const words = Object.entries(conditions).map(([key, value]) => `${key}: ${conditionText(value)}`);
  const what = words.length === 0 ? "every call" : words.join("; ");
  const first = `  ${action.padEnd(6)} ${name.padEnd(18)} ${what}`;
  return reason === undefined ? first : `${first}\n         ${reason}`;
}

function conditionText(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

type CheckArguments = PolicyArguments &
  ToolSources & {
    readonly call: string;
    readonly arguments: readonly string[];
    readonly tainted: boolean;
    readonly json: boolean;
  };

const EXIT_OF: Readonly<Record<PolicyAction, ExitCode>> = {
  allow: EXIT.ok,
  ask: EXIT.asked,
  deny: EXIT.denied,
};

/** @throws PolicyError; UsageError for a call that cannot be read */
export async function checkCommand(
  { call, arguments: more, tainted, json, policy: file, ...sources }: CheckArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env, signal } = context;
  const { policy } = await open(file, env);
  const [, addressed = "", rest = ""] = /^\s*(\S+)\s*(.*)$/s.exec([call, ...more].join(" ")) ?? [];
  await using opened = await openKnownTools(sources, [addressed], context);
  const found = findTool(addressed, [...opened.tools, ...builtinTools()]);
  const tool = found ?? unknownTool(addressed);
  const prepared = await argumentsOf(tool, rest);
  const decision = await policy.decide({
    tool,
    name: tool.recipient,
    arguments: prepared.arguments,
    taint: tainted ? { source: "--tainted", seq: 0 } : null,
    answers: [],
    needsApproval: () => needsApproval(tool, prepared.input, contextOf(signal)),
  });
  const { action, rule, reason, change } = decision;
  const facts = toolFacts(tool);
  if (json)
    output.jsonLine({ ...decision, tool: tool.recipient, known: found !== undefined, ...facts });
  else {
    output.line(visibleText(`${action}: ${rule}. ${reason}`));
    if (change !== undefined) output.line(visibleText(change));
    if (found === undefined) {
      output.note(
        `Only the name of ${tool.recipient} is known here, so it may do anything; --tool, --plugin or --mcp ` +
          "says where it comes from.",
      );
    }
  }
  return EXIT_OF[action];
}

/** @throws UsageError where there is no such file; PolicyError, PolicyStoreError */
export async function trustCommand(
  { file }: { readonly file: string | undefined },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const path = file ?? projectPolicyPath(".");
  if (path === null) {
    throw new UsageError("There is no policy.json or policy.yaml in .chorale of this folder.");
  }
  const { rules, otherwise } = await trustPolicyFile(path, homePath(env));
  output.line(visibleText(`${path} counts in its project from now on, until it is changed:`));
  for (const rule of rules) output.line(visibleText(ruleText(rule)));
  output.line(`Where none of these applies: ${otherwise}`);
  return EXIT.ok;
}

function open(file: string | undefined, env: NodeJS.ProcessEnv): Promise<OpenedPolicy> {
  return openPolicy({ state: homePath(env), configuration: configFolder(env), file });
}

function findTool(addressed: string, tools: readonly Tool[]): Tool | undefined {
  return tools.find(
    ({ recipient }) => recipient === addressed || recipient === `functions.${addressed}`,
  );
}

/** What a run has without being given tools; nothing is started. */
function builtinTools(): readonly Tool[] {
  const browser = ["search", "open", "find"].map(
    (name): Tool => ({
      recipient: `browser.${name}`,
      description: "",
      inputSchema: true,
      timeoutMs: 1,
      annotations: { readOnlyHint: true, openWorldHint: false },
      origin: "builtin",
    }),
  );
  return pythonProblem() === null ? [createPythonTool() as Tool, ...browser] : browser;
}

/** A tool of which only the name is known is one that may do anything. */
function unknownTool(addressed: string): Tool {
  const recipient = addressed.includes(".") ? addressed : `functions.${addressed}`;
  const annotations = { readOnlyHint: false, destructiveHint: true, openWorldHint: true };
  return { recipient, description: "", inputSchema: true, timeoutMs: 1, annotations };
}

async function argumentsOf(
  tool: Tool,
  text: string,
): Promise<Pick<PreparedCall, "arguments" | "input">> {
  if (tool.inputSchema !== null && text.trim() !== "") {
    try {
      JSON.parse(text);
    } catch (cause) {
      throw new UsageError(
        `The arguments of ${tool.recipient} are not JSON (${messageOf(cause)}); accepted: an object such as '{"path":"notes.txt"}'.`,
        { cause },
      );
    }
  }
  const prepared = await prepareCall(tool, text);
  if (prepared.ok) return prepared;
  throw new UsageError(prepared.message);
}

function contextOf(signal: AbortSignal): ToolContext {
  return {
    signal,
    callId: "call_1",
    idempotencyKey: "call_1",
    context: undefined,
    countTokens: (text) => text.length,
    resultTokenLimit: Number.MAX_SAFE_INTEGER,
  };
}
