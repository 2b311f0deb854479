/**
 * The flags that commands share. A flag is defined once, here or in its command's module; the type that a command
 * gets comes from the definition. They are plain literals, so that TypeScript can tell their types file by file.
 */
import type { Sampling } from "../index.ts";
import type { ArgumentsOf } from "./command/flag.ts";

/** What an engine is opened with. */
export const engineFlags = {
  model: {
    type: "text",
    placeholder: "MODEL",
    short: "m",
    completes: "file",
    describe:
      "A gpt-oss checkpoint: a folder, a .safetensors or .gguf file, or the name of a model like gpt-oss:20b; see chorale list and chorale pull (default: the embedded demo model)",
  },
  threads: {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 1024,
    describe: "Threads that compute (default: the cores of this machine)",
  },
  precision: {
    type: "choice",
    words: ["int8", "exact"],
    describe:
      "int8: products of 8-bit integers; exact: weights as in the checkpoint, products in float32, which takes more memory and is slower (default: int8; exact for the embedded model)",
  },
  experts: {
    type: "choice",
    words: ["q8", "mxfp4"],
    describe:
      "What experts become that are not MXFP4 in the checkpoint: q8 is as precise as the rest, mxfp4 takes half the memory (default: q8 where it fits into the memory)",
  },
} as const;

/** How much of the model is used, and how it samples. */
export const modelFlags = {
  engine: {
    type: "text",
    placeholder: "URL",
    list: true,
    describe:
      "Server that computes the tokens, like vllm://gpu1:8000, llama://localhost, sglang://gpu1, chorale://gpu1 or https://…; several are one model on several servers (--model then names the vocabulary alone)",
  },
  "engine-key-file": {
    type: "text",
    placeholder: "FILE",
    completes: "file",
    describe:
      "File with the key for --engine, which no other user may read (default: CHORALE_ENGINE_KEY)",
  },
  "no-server": {
    type: "switch",
    describe:
      "Load the model in this process, although a server of this user (chorale serve) has it in memory",
  },
  context: {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 2_147_483_647,
    describe: "Most tokens of the conversation (default: what the model allows)",
  },
  memory: {
    type: "bytes",
    placeholder: "SIZE",
    describe:
      "Most memory for the model, like 8G; experts beyond it are read from its file when they are needed (default: all are in memory)",
  },
  temperature: {
    type: "number",
    placeholder: "T",
    min: 0,
    max: 100,
    describe: "0 takes the likeliest token always (default: the model's own)",
  },
  "top-p": {
    type: "number",
    placeholder: "P",
    min: 0,
    max: 1,
    describe: "Sample among the likeliest tokens of probability P (default: the model's own)",
  },
  "top-k": {
    type: "integer",
    placeholder: "K",
    min: 0,
    max: 2_147_483_647,
    describe: "Sample among the K likeliest tokens; 0: all (default: the model's own)",
  },
  "min-p": {
    type: "number",
    placeholder: "P",
    min: 0,
    max: 1,
    describe: "Leave out tokens less than P times as likely as the likeliest (default: 0)",
  },
  "repeat-penalty": {
    type: "number",
    placeholder: "R",
    min: 0.01,
    max: 100,
    describe: "Divide the logits of tokens that came lately by R (default: 1, off)",
  },
  "repeat-last-n": {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 2_147_483_647,
    describe: "How many of the latest tokens penalties look at (default: 64)",
  },
  "presence-penalty": {
    type: "number",
    placeholder: "X",
    min: -100,
    max: 100,
    describe: "Subtract X from the logits of tokens that came lately (default: 0)",
  },
  "frequency-penalty": {
    type: "number",
    placeholder: "X",
    min: -100,
    max: 100,
    describe: "Subtract X for every time that they came (default: 0)",
  },
  "prefix-store": {
    type: "number",
    placeholder: "GIB",
    min: 0,
    max: 1_000_000,
    describe:
      "Disk for computed system messages and tools, with which later runs begin; 0: none (default: 4)",
  },
  seed: {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 4_294_967_295,
    describe: "Same seed, same answer (default: random)",
  },
} as const;

export const grantFlag = {
  grant: {
    type: "text",
    placeholder: "GRANT",
    list: true,
    describe:
      "What plugins may use of what they ask for: net:HOST, fs:read:PATH, fs:write:PATH, tools:NAME, env:NAME, process; with several plugins PLUGIN=GRANT (default: nothing)",
  },
} as const;

/** Tools that are not built in; `grantFlag` goes with them. */
export const toolFlags = {
  tool: {
    type: "text",
    placeholder: "FILE",
    list: true,
    completes: "file",
    describe: "Module that exports function tools",
  },
  plugin: {
    type: "text",
    placeholder: "PATH",
    list: true,
    completes: "folder",
    describe: "Folder or npm package of a plugin, run in a sandbox",
  },
} as const;

/** Servers of the Model Context Protocol. */
export const mcpFlags = {
  mcp: {
    type: "text",
    placeholder: "FILE",
    list: true,
    completes: "file",
    describe: "Configuration of MCP servers (mcpServers as JSON), beside your own",
  },
  "no-mcp": { type: "switch", describe: "Start no MCP servers but those of --mcp" },
} as const;

/** How pages of the web are fetched, and which. */
export const fetchFlags = {
  "allow-domain": {
    type: "names",
    placeholder: "A,B",
    describe:
      "Fetch pages of these domains only, with all below them: example.com, *.example.com, example.com:8443",
  },
  "block-domain": {
    type: "names",
    placeholder: "A,B",
    describe: "Never fetch pages of these domains, nor of what is below them",
  },
  "allow-private-host": {
    type: "names",
    placeholder: "A,B",
    describe:
      "Hosts that may be in the own network or on this machine, like wiki.corp or localhost:3000 (default: none)",
  },
  offline: {
    type: "switch",
    describe: "Ask nothing of the web: pages are those that were fetched before",
  },
  "proxy-resolves": {
    type: "switch",
    describe:
      "Give proxies names instead of checked addresses, for one that decides by names (see the page on security)",
  },
} as const;

/** The web: who searches it, and that the model may. Any of them lets it; `fetchFlags` go with them. */
export const webFlags = {
  web: { type: "switch", describe: "Let the model search the web and open its pages" },
  search: {
    type: "names",
    placeholder: "A,B",
    describe:
      "Which services are searched, all at once: local, searxng, duckduckgo, mojeek, wikipedia, brave, tavily, exa, you, ollama, google; A/B is B where A does not answer (default: duckduckgo/mojeek, or the SearXNG server)",
  },
  searxng: {
    type: "text",
    placeholder: "URL",
    describe: "SearXNG server that is searched, like http://localhost:8888",
  },
} as const;

/** What the agent is told, may do, and must deliver. */
export const agentFlags = {
  instructions: {
    type: "text",
    placeholder: "TEXT",
    describe: "Instructions for the model (the developer message)",
  },
  system: {
    type: "text",
    placeholder: "TEXT",
    describe: "Who the model is told to be, instead of ChatGPT (the system message)",
  },
  effort: {
    type: "choice",
    words: ["low", "medium", "high"],
    describe: "How much the model reasons (default: medium)",
  },
  "max-steps": {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 100_000,
    also: ["max-turns"],
    describe: "Most steps: samplings of the model (default: 20)",
  },
  "max-tokens": {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 2_147_483_647,
    describe: "Most tokens generated in all steps (default: what the context holds)",
  },
  "max-reasoning-tokens": {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 2_147_483_647,
    describe:
      "Most tokens of reasoning in all steps; then the model goes on without (default: no limit)",
  },
  "max-seconds": {
    type: "number",
    placeholder: "S",
    min: 0.001,
    max: 2_000_000,
    describe: "Most seconds that the turn works (default: no limit)",
  },
  "max-tool-calls": {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 2_147_483_647,
    describe: "Most calls that are executed (default: no limit)",
  },
  "max-output-bytes": {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 2_147_483_647,
    describe:
      "Most bytes of UTF-8 of the answer and of what is said before calls (default: no limit)",
  },
  "tool-token-budget": {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 2_147_483_647,
    describe:
      "Most tokens for declaring tools; the model finds the others by a search (default: 6000, with a small context less)",
  },
  "no-compaction": {
    type: "switch",
    describe: "Do not shorten and summarise what the model reads near the end of its context",
  },
  "max-retries": {
    type: "integer",
    placeholder: "N",
    min: 0,
    max: 1000,
    describe: "How often in a row an unusable step is tried again (default: 3)",
  },
  "verify-citations": {
    type: "switch",
    describe:
      "Check citations against the cited lines; what does not hold goes back to the model once, then is marked",
  },
  "free-headers": {
    type: "switch",
    describe: "Let the model write message headers that the format does not have",
  },
  policy: {
    type: "text",
    placeholder: "FILE",
    completes: "file",
    describe:
      "Which calls may run, are asked for, or must not run (default: policy.json or policy.yaml of the configuration folder; see chorale policy)",
  },
  docs: {
    type: "text",
    placeholder: "PATH",
    completes: "folder",
    describe: "Folder of documents that the model may search and read",
  },
  file: {
    type: "text",
    placeholder: "PATH",
    list: true,
    completes: "file",
    describe: "File that Python code may read in /mnt/data",
  },
  artifacts: {
    type: "text",
    placeholder: "DIR",
    completes: "folder",
    describe:
      "Where files that Python code writes to /outputs land (default: a new folder of the state); for jobs also s3://BUCKET/PREFIX",
  },
  packages: {
    type: "names",
    placeholder: "NAMES|none",
    describe:
      "Which installed packages Python code may import, like numpy,pandas (default: all; see chorale python)",
  },
  schema: {
    type: "text",
    placeholder: "FILE|JSON",
    completes: "file",
    describe: "JSON Schema that the answer must pass",
  },
  xsd: {
    type: "text",
    placeholder: "FILE",
    completes: "file",
    describe: "XML Schema that the answer must pass",
  },
  root: {
    type: "text",
    placeholder: "NAME",
    describe: "Root element of the answer, where the XML Schema has several",
  },
  choice: {
    type: "names",
    placeholder: "A,B",
    describe: "Texts of which the answer must be one",
  },
  regex: {
    type: "text",
    placeholder: "PATTERN",
    describe: "Regular expression that the whole answer must match",
  },
  grammar: {
    type: "text",
    placeholder: "FILE",
    completes: "file",
    describe: "Grammar of the answer: EBNF, or Lark in a file that ends in .lark",
  },
  "free-content": {
    type: "switch",
    describe: "Let the model write any arguments and answers; they are only checked afterwards",
  },
  "on-limit": {
    type: "choice",
    words: ["fail", "close"],
    describe:
      "What becomes of an answer of a given form that a limit of tokens cuts off (default: fail; close: it is ended in the shortest valid way)",
  },
} as const;

/** Which conversation a run belongs to. */
export const threadFlags = {
  continue: {
    type: "switch",
    short: "c",
    describe: "Go on with the conversation of this folder that was used last",
  },
  resume: {
    type: "text",
    placeholder: "ID",
    completes: "thread",
    describe: "Go on with a conversation; without a prompt, with its unfinished turn",
  },
  ephemeral: { type: "switch", describe: "Do not keep the conversation" },
} as const;

/** How much a command tells beside its answer. */
export const outputFlags = {
  quiet: { type: "switch", short: "q", describe: "Show the answer and errors alone" },
  verbose: { type: "switch", describe: "Show tokens and seconds behind the answer" },
} as const;

/** For commands that tell what happens. */
export const jsonFlag = {
  json: { type: "switch", describe: "Print every event as one line of JSON on stdout" },
} as const;

/** For commands that say one thing at their end. */
export const reportFlag = {
  json: { type: "switch", describe: "Print JSON on stdout" },
} as const;

export const colorFlag = {
  color: {
    type: "choice",
    words: ["auto", "always", "never"],
    describe: "Colour on stderr (default: auto)",
  },
} as const;

/** Flags that say what an answer must be, by the names of their arguments. */
export type OutputFlag = "schema" | "xsd" | "root" | "choice" | "regex" | "grammar";

export type ModelArguments = ArgumentsOf<typeof engineFlags & typeof modelFlags>;
export type ToolArguments = ArgumentsOf<typeof toolFlags & typeof grantFlag>;
export type McpArguments = ArgumentsOf<typeof mcpFlags>;
export type FetchArguments = ArgumentsOf<typeof fetchFlags>;
export type WebArguments = ArgumentsOf<typeof webFlags> & FetchArguments;
export type AgentArguments = ArgumentsOf<typeof agentFlags> &
  ToolArguments &
  McpArguments &
  WebArguments;

/** The part of the flags that says how tokens are chosen. */
export function samplingOf(args: ModelArguments): Partial<Sampling> {
  const { temperature, topP, topK, minP, presencePenalty, frequencyPenalty, seed } = args;
  const given = {
    temperature,
    topP,
    topK,
    minP,
    repetitionPenalty: args.repeatPenalty,
    penaltyWindow: args.repeatLastN,
    presencePenalty,
    frequencyPenalty,
    seed,
  };
  const found = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(found) as Partial<Sampling>;
}
