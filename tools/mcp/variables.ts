/**
 * Variables in a configuration, in the spellings that other programs made common: `${NAME}` and
 * `${NAME:-default}` (Claude Code), `${env:NAME}` (Cursor), `$NAME` (Gemini CLI). `$$` is a dollar sign.
 */

/** A variable that is not set and has no default, or a spelling that is none of these. */
export class VariableError extends Error {}

const REFERENCE = /\$\$|\$\{([^}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)/g;
const BRACED = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/** @throws VariableError with the end of a sentence: "it refers to …" */
export function expandVariables(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(REFERENCE, (reference, braced?: string, bare?: string) => {
    if (reference === "$$") return "$";
    const [, name = bare, fallback] = braced === undefined ? [] : (BRACED.exec(braced) ?? []);
    if (name === undefined) {
      throw new VariableError(
        `it refers to ${reference}; accepted: \${NAME}, \${NAME:-default}, \${env:NAME}, $NAME, and $$ for a dollar sign`,
      );
    }
    const value = env[name];
    // As in a shell, `:-` also stands in for a variable that is empty.
    if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
    if (value !== undefined) return value;
    throw new VariableError(`it refers to the environment variable ${name}, which is not set`);
  });
}
