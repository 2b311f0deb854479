import { type Command, defineCommand } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  engineFlags,
  fetchFlags,
  grantFlag,
  mcpFlags,
  modelFlags,
  toolFlags,
  webFlags,
} from "../flags.ts";

const {
  context,
  memory,
  "prefix-store": prefixStore,
  engine,
  "engine-key-file": engineKeyFile,
} = modelFlags;

export const command: Command = defineCommand({
  flags: {
    idle: {
      type: "text",
      placeholder: "TIME",
      describe: "End when no request has come for so long, like 15m (default: never)",
    },
    preload: { type: "switch", describe: "Load the model at once, not with the first request" },
  },
  settings: {
    ...engineFlags,
    engine,
    "engine-key-file": engineKeyFile,
    context,
    memory,
    "prefix-store": prefixStore,
    listen: {
      type: "text",
      placeholder: "HOST[:PORT]",
      describe: "Where to listen (default: CHORALE_HOST, OLLAMA_HOST, 127.0.0.1:11434)",
    },
    origins: {
      type: "names",
      placeholder: "URL,URL",
      describe: "Pages that may use the server, beside those of this machine; * allows all",
    },
    "api-key-file": {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "Keys of which requests have to send one, a line each (default: CHORALE_API_KEY)",
    },
    "allow-anyone": {
      type: "switch",
      describe:
        "Listen to other machines without a key: every program that reaches this one may use it",
    },
    "no-management": {
      type: "switch",
      describe: "Do not let requests pull, copy, delete and unload models",
    },
    parallel: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 256,
      describe: "Requests that are computed together (default: 4)",
    },
    "keep-alive": {
      type: "text",
      placeholder: "TIME",
      describe: "How long an unused model stays in memory; -1: for ever (default: 5m)",
    },
    "open-responses": {
      type: "switch",
      describe: "Keep to Open Responses where its streams differ from OpenAI's",
    },
    docs: agentFlags.docs,
    ...webFlags,
    ...fetchFlags,
    "no-python": {
      type: "switch",
      describe: "Run no programs for the page and code_interpreter of the Responses API",
    },
    ...toolFlags,
    ...grantFlag,
    ...mcpFlags,
    policy: agentFlags.policy,
    "no-page": { type: "switch", describe: "Serve no page at /, and none of your conversations" },
    ...colorFlag,
  },
  examples: [
    ["serve --model gpt-oss:20b", "For clients of Ollama and OpenAI on this machine"],
    ["serve --idle 15m", "Ends by itself"],
    ["serve --engine vllm://gpu1:8000", "Chorale's Harmony in front of a vLLM or llama-server"],
    ["serve --listen 0.0.0.0 --api-key-file keys.txt", "For other machines, with keys"],
  ],
  run: async (args, context) => (await import("../serve.ts")).serveCommand(args, context),
});
