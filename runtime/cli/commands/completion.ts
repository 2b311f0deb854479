import { anyNumber, type CommandGroup, defineCommand, subcommand } from "../command/command.ts";

export const command: CommandGroup = {
  commands: {
    bash: subcommand(
      "Print the completion script for bash",
      defineCommand({
        examples: [
          [
            "completion bash > ~/.local/share/bash-completion/completions/chorale",
            "For every new bash",
          ],
        ],
        run: async (_args, context) =>
          (await import("../completion-scripts.ts")).scriptCommand("bash", context),
      }),
    ),

    zsh: subcommand(
      "Print the completion script for zsh",
      defineCommand({
        examples: [["completion zsh > ~/.zfunc/_chorale", "Into a folder of fpath"]],
        run: async (_args, context) =>
          (await import("../completion-scripts.ts")).scriptCommand("zsh", context),
      }),
    ),

    fish: subcommand(
      "Print the completion script for fish",
      defineCommand({
        examples: [
          ["completion fish > ~/.config/fish/completions/chorale.fish", "For every new fish"],
        ],
        run: async (_args, context) =>
          (await import("../completion-scripts.ts")).scriptCommand("fish", context),
      }),
    ),

    words: subcommand(
      "Print what could stand in the place of the last word; the scripts use it",
      defineCommand({
        positionals: { words: anyNumber("The words behind chorale, up to the cursor") },
        examples: [["completion words -- run --effort l", "Words for --effort that begin with l"]],
        run: async ({ words }, context) =>
          (await import("../completion.ts")).wordsCommand(words, context),
      }),
    ),
  },
  examples: [
    ["completion bash > ~/.local/share/bash-completion/completions/chorale", "bash"],
    ["completion zsh > ~/.zfunc/_chorale", "zsh, where ~/.zfunc is in fpath"],
    ["completion fish > ~/.config/fish/completions/chorale.fish", "fish"],
  ],
};
