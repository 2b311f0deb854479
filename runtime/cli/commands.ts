/**
 * Every command of `chorale`, in the order of the help. One entry for each; what a command takes stands in its
 * module in `commands/`, and what it does in a module that the handler loads.
 */
import type { CommandTable, Example } from "./command/command.ts";

export const COMMANDS: CommandTable = {
  run: {
    describe: "Answer one question; the prompt may also come from stdin",
    load: async () => (await import("./commands/run.ts")).command,
  },

  chat: {
    describe: "Talk with a model in the terminal; chorale alone does the same",
    load: async () => (await import("./commands/chat.ts")).command,
  },

  research: {
    describe: "Answer a question from documents or the web, with sources that were checked",
    load: async () => (await import("./commands/research.ts")).command,
  },

  minions: {
    describe: "Answer a question about files with a remote model that does not see them",
    load: async () => (await import("./commands/minions.ts")).command,
  },

  batch: {
    describe: "Answer many questions, one on each line of a file",
    load: async () => (await import("./commands/batch.ts")).command,
  },

  jobs: {
    describe: "Submit jobs into Postgres, and work on them with several machines",
    load: async () => (await import("./commands/jobs.ts")).command,
  },

  pull: {
    describe: "Fetch a model; goes on where an earlier try ended",
    load: async () => (await import("./commands/models.ts")).pull,
  },

  list: {
    describe: "List the models of this machine",
    load: async () => (await import("./commands/models.ts")).list,
  },

  show: {
    describe: "Say what a model is, what it needs here and how fast it could be",
    load: async () => (await import("./commands/models.ts")).show,
  },

  rm: {
    describe: "Remove models that were pulled",
    load: async () => (await import("./commands/models.ts")).rm,
  },

  verify: {
    describe: "Hash models anew and look for broken numbers",
    load: async () => (await import("./commands/models.ts")).verify,
  },

  cp: {
    describe: "Give a model a second name",
    load: async () => (await import("./commands/models.ts")).cp,
  },

  models: {
    describe: "The same as a group: chorale models pull, list, show, …",
    load: async () => (await import("./commands/models.ts")).command,
  },

  serve: {
    describe: "Serve models to programs that speak to Ollama or OpenAI",
    load: async () => (await import("./commands/serve.ts")).command,
  },

  ps: {
    describe: "Say which servers run, and what they hold in memory",
    load: async () => (await import("./commands/ps.ts")).command,
  },

  stop: {
    describe: "End running servers, or take a model out of their memory",
    load: async () => (await import("./commands/stop.ts")).command,
  },

  connect: {
    describe: "Say how a program is told to use a server, or write it: codex, pi, continue, …",
    load: async () => (await import("./commands/connect.ts")).command,
  },

  engines: {
    describe: "List and try out servers that compute tokens (--engine)",
    load: async () => (await import("./commands/engines.ts")).command,
  },

  sessions: {
    describe: "List, show, search, go on with, copy, export and remove conversations",
    load: async () => (await import("./commands/sessions.ts")).command,
  },

  tools: {
    describe: "Make, check and try out tools and plugins",
    load: async () => (await import("./commands/tools.ts")).command,
  },

  mcp: {
    describe: "Add, try out and use servers of the Model Context Protocol",
    load: async () => (await import("./commands/mcp.ts")).command,
  },

  policy: {
    describe: "Show and try out the rules about which calls may run",
    load: async () => (await import("./commands/policy.ts")).command,
  },

  python: {
    describe: "Install packages for Python, list and check them",
    load: async () => (await import("./commands/python.ts")).command,
  },

  harmony: {
    describe: "Render, parse and explain the format that gpt-oss speaks",
    load: async () => (await import("./commands/harmony.ts")).command,
  },

  search: {
    describe: "Search the web or a folder of documents, without a model",
    load: async () => (await import("./commands/search.ts")).command,
  },

  open: {
    describe: "Show a page of the web or a document as text, without a model",
    load: async () => (await import("./commands/open.ts")).command,
  },

  decide: {
    describe: "Say how likely the model holds each of several answers",
    load: async () => (await import("./commands/decide.ts")).command,
  },

  replay: {
    describe: "Sample a recorded conversation again, as a test, or with another result of a call",
    load: async () => (await import("./commands/replay.ts")).command,
  },

  trace: {
    describe: "Write a conversation as a timeline, in one HTML file",
    load: async () => (await import("./commands/trace.ts")).command,
  },

  validate: {
    describe: "Check JSON, YAML and XML files against a schema",
    load: async () => (await import("./commands/validate.ts")).command,
  },

  config: {
    describe: "Show, set and take out settings and profiles",
    load: async () => (await import("./commands/config.ts")).command,
  },

  doctor: {
    describe: "Say what this machine has of what Chorale uses",
    load: async () => (await import("./commands/doctor.ts")).command,
  },

  completion: {
    describe: "Print a script that lets bash, zsh or fish complete chorale",
    load: async () => (await import("./commands/completion.ts")).command,
  },

  demo: {
    describe: "Ask the embedded model three questions and check its answers",
    load: async () => (await import("./commands/demo.ts")).command,
  },

  bench: {
    describe: "Measure how fast a model is on this machine, and what its memory allows",
    load: async () => (await import("./commands/bench.ts")).command,
  },
};

/** Of `chorale --help`. */
export const EXAMPLES: readonly Example[] = [
  ["chat", "A chat with the small embedded model"],
  ['run "What is 12 * 34?"', "A question to the small embedded model"],
  [
    'run --model gpt-oss:20b --docs ./handbook "Who approves travel?"',
    "To a model that chorale pull gpt-oss:20b has brought, over a folder of documents",
  ],
  ["doctor", "What is missing on this machine, if anything"],
];
