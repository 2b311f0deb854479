/** The clients that `chorale connect` knows, by the names that it takes. */
import { claudeSetup } from "./claude.ts";
import type { ClientSetup, Connection } from "./client-setup.ts";
import { clineSetup } from "./cline.ts";
import { codexSetup } from "./codex.ts";
import { continueSetup } from "./continue.ts";
import { openWebuiSetup } from "./open-webui.ts";
import { opencodeSetup } from "./opencode.ts";
import { piSetup } from "./pi.ts";

export const CLIENTS: Readonly<Record<string, (connection: Connection) => ClientSetup>> = {
  codex: codexSetup,
  "open-webui": openWebuiSetup,
  continue: continueSetup,
  opencode: opencodeSetup,
  pi: piSetup,
  cline: clineSetup,
  claude: claudeSetup,
};
