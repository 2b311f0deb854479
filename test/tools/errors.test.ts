/** Errors of one copy of the package, asked about by another: a program may have two versions of it. */
import { describe, expect, test } from "vitest";
import { HarmonyError, RenderError, VocabularyError } from "../../harmony/index.ts";
import * as ours from "../../tools/core/errors.ts";

/** The same module once more. */
const copy = "../../tools/core/errors.ts?copy";
const theirs: typeof ours = await import(/* @vite-ignore */ copy);

describe("isInstance", () => {
  const error = new theirs.SchemaError("no schema");

  test("knows the errors of another copy, which instanceof does not", () => {
    expect(error).not.toBeInstanceOf(ours.SchemaError);
    expect(ours.SchemaError.isInstance(error)).toBe(true);
    expect(ours.ToolsError.isInstance(error)).toBe(true);
    expect(ours.ToolDefinitionError.isInstance(error)).toBe(false);
  });

  test.each([undefined, null, "text", {}, new Error("other"), new HarmonyError("C", "m")])(
    "%s is none",
    (value) => {
      expect(ours.ToolsError.isInstance(value)).toBe(false);
    },
  );

  test("a class derived by a program is known as such, and as what it derives from", () => {
    class Own extends ours.SchemaError {}
    expect(Own.isInstance(error)).toBe(false);
    expect(Own.isInstance(new Own("x"))).toBe(true);
    expect(theirs.SchemaError.isInstance(new Own("x"))).toBe(true);
  });

  test("brands are no part of what is printed or compared", () => {
    expect(Object.keys(error).sort()).toEqual(["code", "name"]);
    expect(RenderError.isInstance(new RenderError("x"))).toBe(true);
    expect(VocabularyError.isInstance(new RenderError("x"))).toBe(false);
  });
});
