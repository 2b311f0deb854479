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

const { engine, "engine-key-file": engineKeyFile } = modelFlags;
const { threads, precision, experts } = engineFlags;

const compare: Command = defineCommand({
  positionals: { name: optional(`${NAME} (default: the embedded model)`, "file") },
  flags: {
    text: {
      type: "text",
      placeholder: "TEXT",
      list: true,
      describe: "Text whose ids are compared, special tokens included (default: three short ones)",
    },
    file: {
      type: "text",
      placeholder: "FILE",
      short: "f",
      list: true,
      completes: "file",
      describe: "File with such a text, or with ids: [1, 2, …] or [[1, 2, …], …]",
    },
    tolerance: {
      type: "number",
      placeholder: "X",
      min: 0,
      max: 100,
      default: 0.1,
      describe:
        "How far natural logarithms of probabilities may be apart, in the mean and for a tie",
    },
    top: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 1000,
      default: 20,
      describe: "How many of the likeliest ids the server is asked for at each place",
    },
    ...reportFlag,
  },
  settings: {
    ...{ engine, "engine-key-file": engineKeyFile },
    ...{ threads, precision, experts, ...colorFlag },
  },
  examples: [
    [
      "models compare gpt-oss:20b --engine vllm://gpu1:8000",
      "Status 0 when the server's probabilities are those of the model here",
    ],
    ["models compare --engine llama://localhost -f prompt.txt", "The embedded model, with a text"],
  ],
  run: async (args, context) =>
    (await import("../models/compare.ts")).compareCommand(args, context),
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
    compare: subcommand("Hold a server's probabilities against those of a model here", compare),
  },
  examples: [["pull gpt-oss:20b", "Each of these also stands by itself"]],
};
