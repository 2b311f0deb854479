/** Models on this machine: each command stands by itself, and in the group `chorale models`. */
import {
  anyNumber,
  type Command,
  type CommandGroup,
  defineCommand,
  optional,
  required,
  rest,
  subcommand,
} from "../command/command.ts";
import { colorFlag, engineFlags, modelFlags, reportFlag } from "../flags.ts";

const NAME = "Name of a model, like gpt-oss:20b or openai/gpt-oss-20b";

export const pull: Command = defineCommand({
  positionals: { name: required(`${NAME}, or hf.co/OWNER/REPO:QUANT`) },
  flags: {
    from: {
      type: "text",
      placeholder: "URL",
      describe: "Registry with the same URL layout, like a mirror (default: the one of the name)",
    },
    ...reportFlag,
  },
  settings: colorFlag,
  examples: [
    ["pull gpt-oss:20b", "From Ollama's registry, 13.8 GB"],
    ["pull openai/gpt-oss-20b", "From the Hugging Face hub"],
    ["pull hf.co/unsloth/gpt-oss-20b-GGUF:F16", "One file of a repository"],
  ],
  run: async (args, context) => (await import("../models/pull.ts")).pullCommand(args, context),
});

export const list: Command = defineCommand({
  flags: reportFlag,
  settings: colorFlag,
  examples: [["list --json", "For a program"]],
  run: async ({ json }, context) => (await import("../models/list.ts")).listCommand(json, context),
});

export const show: Command = defineCommand({
  positionals: {
    name: optional(`${NAME}, a folder or a file (default: the embedded model)`, "file"),
  },
  flags: reportFlag,
  settings: {
    context: modelFlags.context,
    threads: engineFlags.threads,
    precision: engineFlags.precision,
    ...colorFlag,
  },
  examples: [
    ["show gpt-oss:20b", "Its architecture, what it needs here, and how fast it could be"],
  ],
  run: async (args, context) => (await import("../models/show.ts")).showCommand(args, context),
});

export const rm: Command = defineCommand({
  positionals: { names: rest(NAME) },
  flags: reportFlag,
  settings: colorFlag,
  examples: [["rm gpt-oss:20b", "Its files go, unless another model has them, too"]],
  run: async (args, context) => (await import("../models/remove.ts")).removeCommand(args, context),
});

export const verify: Command = defineCommand({
  positionals: {
    names: anyNumber(`${NAME}, a folder or a file (default: all that were pulled)`, "file"),
  },
  flags: reportFlag,
  settings: colorFlag,
  examples: [["verify gpt-oss:20b", "Status 1 when a file or a number is broken"]],
  run: async (args, context) => (await import("../models/verify.ts")).verifyCommand(args, context),
});

export const cp: Command = defineCommand({
  positionals: { name: required(NAME), to: required("Its second name") },
  flags: reportFlag,
  settings: colorFlag,
  examples: [["cp gpt-oss:20b mine", "Then --model mine is the same model"]],
  run: async (args, context) => (await import("../models/copy.ts")).copyCommand(args, context),
});

const convert: Command = defineCommand({
  positionals: {
    name: required(`${NAME}, a folder or a file`, "file"),
    to: required("A file that ends with .gguf, or a folder for safetensors", "file"),
  },
  flags: reportFlag,
  settings: colorFlag,
  examples: [
    ["models convert ./my-finetune my-finetune.gguf", "Experts become MXFP4"],
    ["models convert gpt-oss:20b ./gpt-oss-20b", "A folder of safetensors"],
  ],
  run: async ({ name, to, json }, context) =>
    (await import("../models/convert.ts")).convertCommand({ name, to, json }, context),
});

const exportModel: Command = defineCommand({
  positionals: { name: optional(`${NAME} (default: the embedded model)`, "file") },
  flags: {
    gguf: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "The file that is written",
    },
    ...reportFlag,
  },
  settings: colorFlag,
  examples: [["models export --gguf demo.gguf", "The embedded model, for llama.cpp"]],
  run: async ({ name, gguf, json }, context) =>
    (await import("../models/convert.ts")).exportCommand({ name, gguf, json }, context),
});

export const command: CommandGroup = {
  commands: {
    pull: subcommand("Fetch a model; goes on where an earlier try ended", pull),
    list: subcommand("List the models of this machine", list),
    show: subcommand("Say what a model is, what it needs here and how fast it could be", show),
    rm: subcommand("Remove models that were pulled", rm),
    verify: subcommand("Hash models anew and look for broken numbers", verify),
    cp: subcommand("Give a model a second name", cp),
    convert: subcommand("Write a model as GGUF or safetensors, experts in MXFP4", convert),
    export: subcommand("Write a model, or the embedded one, for other programs", exportModel),
  },
  examples: [["pull gpt-oss:20b", "Each of these also stands by itself"]],
};
