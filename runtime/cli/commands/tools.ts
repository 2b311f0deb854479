import {
  anyNumber,
  type CommandGroup,
  defineCommand,
  optional,
  required,
  subcommand,
} from "../command/command.ts";
import {
  agentFlags,
  engineFlags,
  fetchFlags,
  grantFlag,
  mcpFlags,
  reportFlag,
  toolFlags,
  webFlags,
} from "../flags.ts";

export const command: CommandGroup = {
  commands: {
    new: subcommand(
      "Make the folder of a new plugin, with a tool and its tests",
      defineCommand({
        positionals: { name: required("Name of the package and of its folder") },
        examples: [["tools new weather", "A plugin in the folder weather"]],
        run: async ({ name }, context) => (await import("../tools.ts")).newCommand(name, context),
      }),
    ),

    list: subcommand(
      "Show tools as the model will see them",
      defineCommand({
        flags: reportFlag,
        settings: { ...toolFlags, ...grantFlag },
        examples: [
          ["tools list", "What is built in"],
          ["tools list --plugin ./weather", "With those of a plugin"],
        ],
        run: async (args, context) => (await import("../tools.ts")).listCommand(args, context),
      }),
    ),

    cost: subcommand(
      "Show what tools, servers and instructions cost in every prompt, in tokens",
      defineCommand({
        flags: reportFlag,
        settings: {
          ...toolFlags,
          ...grantFlag,
          ...mcpFlags,
          ...webFlags,
          ...fetchFlags,
          model: engineFlags.model,
          docs: agentFlags.docs,
          instructions: agentFlags.instructions,
          system: agentFlags.system,
          "tool-token-budget": agentFlags["tool-token-budget"],
        },
        examples: [
          ["tools cost", "What is built in, and the MCP servers that are configured"],
          [
            "tools cost --docs ./docs --tool weather.ts",
            "With documents and a module of functions",
          ],
        ],
        run: async (args, context) => (await import("../tools-cost.ts")).costCommand(args, context),
      }),
    ),

    call: subcommand(
      "Run one call outside of an agent: functions.NAME with JSON, or python with code",
      defineCommand({
        positionals: {
          name: required("The tool"),
          input: optional("Its arguments as JSON (default: {}); - reads stdin"),
        },
        flags: reportFlag,
        settings: { ...toolFlags, ...grantFlag },
        examples: [
          ['tools call python "print(6 * 7)"', "Code in the sandbox"],
          [
            'tools call get_weather \'{"city":"Rome"}\' --tool weather.ts',
            "A function of a module",
          ],
        ],
        run: async (args, context) => (await import("../tools.ts")).callCommand(args, context),
      }),
    ),

    trust: subcommand(
      "Allow calls of tools for always, as the tools are now; list and revoke that",
      defineCommand({
        positionals: {
          tools: anyNumber("The tools, like get_weather (default: all that are given)"),
        },
        flags: {
          list: { type: "switch", describe: "Show the trusted tools" },
          revoke: { type: "switch", describe: "Forget the tools, and the answers about them" },
          ...reportFlag,
        },
        settings: { ...toolFlags, ...grantFlag, ...mcpFlags },
        exclusive: [["list", "revoke"]],
        examples: [
          ["tools trust get_weather --tool weather.ts", "Not asked again until the tool changes"],
          ["tools trust mcp__files__read_file", "A tool of an MCP server"],
          ["tools trust --list", "What is trusted, and since when"],
          ["tools trust --revoke get_weather", "Asked again from now on"],
        ],
        run: async (args, context) =>
          (await import("../tools-trust.ts")).trustCommand(args, context),
      }),
    ),

    validate: subcommand(
      "Check a plugin's manifest, code and schemas",
      defineCommand({
        positionals: { plugin: optional("Folder or package (default: this folder)", "folder") },
        flags: reportFlag,
        settings: grantFlag,
        examples: [["tools validate ./weather", "Before it is published"]],
        run: async (args, context) => (await import("../tools.ts")).validateCommand(args, context),
      }),
    ),

    test: subcommand(
      "Run the cases of a plugin's tests.json",
      defineCommand({
        positionals: { plugin: optional("Folder or package (default: this folder)", "folder") },
        settings: grantFlag,
        examples: [
          [
            "tools test ./weather --grant net:api.example.com",
            "With what the plugin may use of the network",
          ],
        ],
        run: async (args, context) => (await import("../tools.ts")).testCommand(args, context),
      }),
    ),
  },
  examples: [
    ["tools list", "What the model can call"],
    ['tools call python "print(6 * 7)"', "A call without a model"],
  ],
};
