import {
  type CommandGroup,
  defineCommand,
  optional,
  required,
  rest,
  subcommand,
} from "../command/command.ts";
import { agentFlags, colorFlag, fetchFlags, mcpFlags, reportFlag, webFlags } from "../flags.ts";

const { docs, file, artifacts, packages } = agentFlags;
const servedFlags = { docs, file, artifacts, packages, ...webFlags, ...fetchFlags } as const;

const projectFlag = {
  project: { type: "switch", describe: "In .mcp.json of this folder, for all who work in it" },
} as const;

export const command: CommandGroup = {
  commands: {
    add: subcommand(
      "Add a server: a program with its arguments, or a URL",
      defineCommand({
        positionals: {
          name: required("What you call it"),
          command: rest("The program with its arguments, behind --; or one URL"),
        },
        flags: {
          env: {
            type: "text",
            placeholder: "NAME=VALUE",
            list: true,
            describe: "Variable of its environment; '$NAME' is looked up when it is started",
          },
          header: {
            type: "text",
            placeholder: "'NAME: VALUE'",
            list: true,
            describe: "Header of every request; 'Authorization: Bearer $TOKEN'",
          },
          cwd: {
            type: "text",
            placeholder: "DIR",
            completes: "folder",
            describe: "Folder in which it is started (default: that of the configuration)",
          },
          transport: {
            type: "choice",
            words: ["http", "sse"],
            describe: "http: Streamable HTTP; sse: the older one (default: http)",
          },
          timeout: {
            type: "number",
            placeholder: "SECONDS",
            min: 0.1,
            max: 86_400,
            describe: "How long a call may be silent (default: 60)",
          },
          trust: { type: "switch", describe: "Its tools may be called without asking" },
          ...projectFlag,
        },
        settings: colorFlag,
        examples: [
          [
            "mcp add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes",
            "A program that npm brings",
          ],
          [
            "mcp add tickets https://example.com/mcp --header 'Authorization: Bearer $TOKEN'",
            "A server on the web",
          ],
        ],
        run: async (args, context) => (await import("../mcp/edit.ts")).addCommand(args, context),
      }),
    ),

    list: subcommand(
      "Show the servers that are configured, and where",
      defineCommand({
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp list", "Nothing is started"]],
        run: async (args, context) => (await import("../mcp/edit.ts")).listCommand(args, context),
      }),
    ),

    remove: subcommand(
      "Remove a server",
      defineCommand({
        positionals: { name: required("What you call it") },
        flags: projectFlag,
        settings: colorFlag,
        examples: [["mcp remove files", "From your own configuration"]],
        run: async (args, context) => (await import("../mcp/edit.ts")).removeCommand(args, context),
      }),
    ),

    test: subcommand(
      "Start servers and show what they offer",
      defineCommand({
        positionals: { name: optional("One of them (default: all)") },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp test files", "Status 1 when it cannot be used"]],
        run: async ({ name, ...args }, context) => {
          const names = name === undefined ? [] : [name];
          return (await import("../mcp/use.ts")).testCommand({ ...args, names }, context);
        },
      }),
    ),

    trust: subcommand(
      "Look at the servers of this folder's .mcp.json, and agree to them",
      defineCommand({
        positionals: { name: optional("One of them (default: all that are new or have changed)") },
        flags: { yes: { type: "switch", describe: "Agree without being asked" } },
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp trust", "Shows each server, and asks"]],
        run: async (args, context) => (await import("../mcp/use.ts")).trustCommand(args, context),
      }),
    ),

    login: subcommand(
      "Authorize at a server with a URL (OAuth), in a browser",
      defineCommand({
        positionals: { name: required("What you call the server") },
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp login tickets", "Once; later runs have it"]],
        run: async (args, context) => (await import("../mcp/login.ts")).loginCommand(args, context),
      }),
    ),

    logout: subcommand(
      "Forget an authorization",
      defineCommand({
        positionals: { name: required("What you call the server") },
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp logout tickets", "On this machine"]],
        run: async (args, context) =>
          (await import("../mcp/login.ts")).logoutCommand(args, context),
      }),
    ),

    call: subcommand(
      "Call one tool of a server",
      defineCommand({
        positionals: {
          server: required("What you call the server"),
          tool: required("Name of the tool, as mcp test shows it or as the server calls it"),
          input: optional("Its arguments as JSON (default: {})"),
        },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [['mcp call files list_directory \'{"path":"."}\'', "A call without a model"]],
        run: async (args, context) => (await import("../mcp/use.ts")).callCommand(args, context),
      }),
    ),

    resources: subcommand(
      "List what servers offer to be read",
      defineCommand({
        positionals: { server: optional("One of them (default: all)") },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp resources", "Of all servers"]],
        run: async (args, context) =>
          (await import("../mcp/use.ts")).resourcesCommand(args, context),
      }),
    ),

    read: subcommand(
      "Read one resource of a server",
      defineCommand({
        positionals: {
          server: required("What you call the server"),
          uri: required("As mcp resources shows it"),
        },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp read docs docs://guide > guide.md", "To a file"]],
        run: async (args, context) => (await import("../mcp/use.ts")).readCommand(args, context),
      }),
    ),

    prompts: subcommand(
      "List the prompts that servers offer",
      defineCommand({
        positionals: { server: optional("One of them (default: all)") },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp prompts", "Of all servers"]],
        run: async (args, context) => (await import("../mcp/use.ts")).promptsCommand(args, context),
      }),
    ),

    prompt: subcommand(
      "Show what a prompt of a server stands for",
      defineCommand({
        positionals: {
          server: required("What you call the server"),
          prompt: required("As mcp prompts shows it"),
          values: optional(
            "NAME=VALUE for what the prompt wants to know, with commas between them",
          ),
        },
        flags: reportFlag,
        settings: { ...mcpFlags, ...colorFlag },
        examples: [["mcp prompt docs summary language=English | chorale run -", "As a question"]],
        run: async ({ values, ...args }, context) => {
          const pairs = values === undefined ? [] : values.split(",");
          return (await import("../mcp/use.ts")).promptCommand({ ...args, values: pairs }, context);
        },
      }),
    ),

    serve: subcommand(
      "Offer Python, documents, the web and the validator to another agent",
      defineCommand({
        flags: {
          http: {
            type: "integer",
            placeholder: "PORT",
            min: 0,
            max: 65_535,
            describe:
              "Serve on this port of this machine; with CHORALE_MCP_TOKEN in the environment, to those who have it (default: on standard input and output)",
          },
          "no-python": { type: "switch", describe: "Without Python" },
        },
        settings: { ...servedFlags, ...colorFlag },
        examples: [
          ["mcp serve --docs ./handbook", "As the command of another agent's configuration"],
          ["mcp serve --http 8931", "For agents that connect to http://127.0.0.1:8931/mcp"],
        ],
        run: async (args, context) => (await import("../mcp/serve.ts")).serveCommand(args, context),
      }),
    ),
  },
  examples: [
    ["mcp add files -- npx -y @modelcontextprotocol/server-filesystem ~/notes", "A new server"],
    ["mcp test", "Do they all work?"],
    ["mcp serve", "The other way round: this program's tools for another agent"],
  ],
};
