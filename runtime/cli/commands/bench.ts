import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag, engineFlags, reportFlag } from "../flags.ts";

export const command: Command = defineCommand({
  flags: {
    prompt: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 131_072,
      default: 512,
      describe: "Tokens of the prompt",
    },
    generate: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 131_072,
      default: 64,
      describe: "Tokens that are decoded",
    },
    rounds: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 1000,
      default: 3,
      describe: "How often; medians are shown",
    },
    ...reportFlag,
  },
  settings: { ...engineFlags, ...colorFlag },
  examples: [
    ["bench", "The embedded model"],
    ["bench --model gpt-oss:20b --prompt 2048 --rounds 1", "A long prompt, once"],
  ],
  run: async (args, context) => (await import("../bench.ts")).benchCommand(args, context),
});
