/** The first word of a header, which is its role, or what models write in its place. */

import { CHANNELS, isChannel, isRole, ROLES, recipientOf } from "../header-grammar.ts";
import type { Role } from "../message.ts";
import type { IssueCode } from "./issues.ts";

export type RoleReading = {
  readonly role: Role;
  /** The author, where the word names one. */
  readonly name?: string;
  /** The word is a channel, or a tool that is called, and the role goes without saying. */
  readonly channel?: string;
  readonly recipient?: string;
  /** The word stays to be read. */
  readonly isMissing?: true;
  readonly issue?: { readonly code: IssueCode; readonly detail: string };
};

const REPEATED_ROLE = new RegExp(`^(${ROLES.join("|")})\\1*$`);
const NAMED_ROLE = /^(user|assistant|system|developer):([^\p{White_Space}]+)$/u;
const GLUED_CHANNEL = new RegExp(`^assistant(${CHANNELS.join("|")})$`);

export const MISSING_ROLE: RoleReading = {
  role: "assistant",
  isMissing: true,
  issue: { code: "missing_role", detail: "A header has no role; assistant is assumed" },
};

/**
 * @param known     the role, where it is known already: the word may repeat it
 * @param isSpeaker whether the header is addressed to the assistant, as a tool's result is
 * @param isHeader  whether the word stands in a header for sure, and not in front of content
 * @returns null where the word is none of this, and no role is missing
 */
export function readRole(
  word: string,
  known: Role | null,
  context: {
    readonly isDeclared: (name: string) => boolean;
    readonly isSpeaker: () => boolean;
    readonly isComplete: boolean;
    readonly isHeader: boolean;
  },
): RoleReading | null {
  const repeated = REPEATED_ROLE.exec(word)?.[1] ?? "";
  if (isRole(repeated)) {
    const isDouble = repeated !== word || known === repeated;
    const issue = { code: "duplicate_role", detail: `The role is written ${word}` } as const;
    if (known !== null && known !== repeated) return null;
    const name = known === null && repeated === "tool" ? { name: repeated } : {};
    return { role: repeated, ...name, ...(isDouble && { issue }) };
  }
  if (known !== null) return null;
  const [, named = "", name = ""] = NAMED_ROLE.exec(word) ?? [];
  if (isRole(named)) return { role: named, ...(name !== named && { name }) };
  const channel = GLUED_CHANNEL.exec(word)?.[1] ?? (isChannel(word) ? word : undefined);
  if (channel !== undefined) {
    const issue = { code: "role_is_channel", detail: `The role is written ${word}` } as const;
    return { role: "assistant", channel, issue };
  }
  if (recipientOf(word) !== null) return MISSING_ROLE;
  if (!word.startsWith("<") && context.isSpeaker()) return { role: "tool", name: word };
  if (context.isDeclared(word)) {
    const detail = `The role is the tool ${word}: read as a call to it`;
    return { role: "assistant", recipient: word, issue: { code: "role_is_tool", detail } };
  }
  const folded = word.toLowerCase();
  if (isRole(folded) && context.isHeader) {
    const issue = { code: "unknown_role", detail: `The role is written ${word}` } as const;
    return { role: folded, ...(folded === "tool" && { name: folded }), issue };
  }
  if (context.isComplete && /^[A-Za-z_][\w.-]*$/.test(word)) {
    const detail = `The role ${word} is read as a tool's name`;
    return { role: "tool", name: word, issue: { code: "unknown_role", detail } };
  }
  return MISSING_ROLE;
}
