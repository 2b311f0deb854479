/** The header of a call that the caller of the run demands, as the model would write it. */
import type { Tokenizer } from "../../harmony/index.ts";
import { namespaceOf } from "../../tools/index.ts";
import { allowedTools, isDemanded } from "../calls/allowed-tools.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import type { ToolChoice } from "../context.ts";

/**
 * Ids behind `<|start|>assistant`. With `required` the header ends inside of the recipient, so that the
 * model chooses the name; null where no call is demanded.
 */
export function forcedCallHeader(
  tokenizer: Tokenizer,
  choice: ToolChoice,
  tools: DeclaredTools,
): readonly number[] | null {
  if (!isDemanded(choice)) return null;
  const named = allowedTools(choice, tools);
  const [first] = named;
  if (first === undefined) return null;
  const { channel, constrain, message } = tokenizer.special;
  const isBuiltin = namespaceOf(first.recipient) !== "functions";
  const head = [channel, ...tokenizer.encode(isBuiltin ? "analysis" : "commentary")];
  if (named.length > 1) {
    const namespaces = new Set(named.map(({ recipient }) => namespaceOf(recipient)));
    const known = namespaces.size === 1 && !isBuiltin ? "functions." : "";
    return [...head, ...tokenizer.encode(` to=${known}`)];
  }
  const to = [...head, ...tokenizer.encode(` to=${first.recipient}`)];
  return isBuiltin
    ? [...to, ...tokenizer.encode(" code"), message]
    : [...to, ...tokenizer.encode(" "), constrain, ...tokenizer.encode("json"), message];
}
