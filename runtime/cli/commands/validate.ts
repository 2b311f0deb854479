import { anyNumber, type Command, defineCommand } from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

export const command: Command = defineCommand({
  positionals: { file: anyNumber("Files to check; - or none reads stdin", "file") },
  flags: {
    schema: {
      type: "text",
      placeholder: "FILE|JSON",
      completes: "file",
      describe: "JSON Schema to check against",
    },
    xsd: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "XML Schema to check against",
    },
    root: {
      type: "text",
      placeholder: "NAME",
      describe: "Root element that an XML document must have",
    },
    input: {
      type: "choice",
      words: ["json", "ndjson", "yaml", "xml"],
      describe: "What the files hold (default: by their ending)",
    },
    extract: {
      type: "switch",
      describe: "Take away what models put around a document, like a code fence",
    },
    "max-errors": {
      type: "integer",
      placeholder: "N",
      min: 0,
      max: 2_147_483_647,
      default: 100,
      describe: "Most documents of a file whose mistakes are told",
    },
    ...reportFlag,
  },
  settings: colorFlag,
  exclusive: [
    ["schema", "xsd"],
    ["schema", "root"],
  ],
  examples: [
    ["validate --schema person.schema.json people.ndjson", "Each line of a stream"],
    ["validate --xsd invoice.xsd --json invoice.xml", "For a program; status 3 if it is not valid"],
  ],
  run: async ({ file, ...args }, context) =>
    (await import("../validate.ts")).validateCommand({ ...args, files: file }, context),
});
