import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag, engineFlags, modelFlags, reportFlag } from "../flags.ts";

const { engine, "engine-key-file": engineKeyFile } = modelFlags;

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
    "no-local": {
      type: "switch",
      describe:
        "Measure the servers of --engine alone, and not the model of this machine with them",
    },
    // Of several engines each is measured, so this is not the setting of the same name.
    engine: {
      ...engine,
      describe:
        "Server that is measured beside the model of this machine, like vllm://gpu1:8000; each of several by itself, and whether it gives the same greedy ids",
    },
    ...reportFlag,
  },
  settings: {
    ...engineFlags,
    "engine-key-file": engineKeyFile,
    ...colorFlag,
  },
  examples: [
    ["bench", "The embedded model"],
    ["bench --model gpt-oss:20b --prompt 2048 --rounds 1", "A long prompt, once"],
    [
      "bench --engine vllm://gpu1 --engine llama://gpu2",
      "Servers, with the model here beside them",
    ],
  ],
  run: async (args, context) =>
    args.engine.length > 0
      ? (await import("../bench-engines.ts")).benchEnginesCommand(args, context)
      : (await import("../bench.ts")).benchCommand(args, context),
});
