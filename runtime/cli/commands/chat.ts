import { type Command, defineCommand } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  engineFlags,
  fetchFlags,
  grantFlag,
  mcpFlags,
  modelFlags,
  threadFlags,
  toolFlags,
  webFlags,
} from "../flags.ts";

/** An answer in a chat is read by a person: it has no schema to pass. */
const {
  schema: _schema,
  xsd: _xsd,
  root: _root,
  choice: _choice,
  regex: _regex,
  grammar: _grammar,
  ...chatFlags
} = agentFlags;

export const command: Command = defineCommand({
  flags: threadFlags,
  settings: {
    ...engineFlags,
    ...chatFlags,
    ...toolFlags,
    ...grantFlag,
    ...mcpFlags,
    ...webFlags,
    ...fetchFlags,
    ...modelFlags,
    ...colorFlag,
  },
  exclusive: [
    ["resume", "ephemeral"],
    ["resume", "continue"],
    ["continue", "ephemeral"],
  ],
  examples: [
    ["chat", "A chat with the small embedded model"],
    ["chat --model gpt-oss:20b --docs ./handbook", "With your own weights and your own documents"],
    ["chat --continue", "The last conversation of this folder goes on"],
  ],
  run: async (args, context) =>
    (await import("../chat.ts")).chatCommand({ ...args, agent: args, model: args }, context),
});
