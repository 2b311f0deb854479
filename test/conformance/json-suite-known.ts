/** Groups of the JSON Schema Test Suite in which this implementation differs, each with the reason. */

const DYNAMIC = "a $dynamicRef is not followed through the schemas that led to it";
const CONTAINS = "what contains finds does not count as evaluated";
const CONDITION = "an if without then or else does not count as evaluated";
const NESTED = "items of a schema inside of allOf do not count as evaluated";
const VOCABULARY = "a metaschema cannot switch keywords off";

/** Of the validator; docs/structured-output.md lists them by kind. */
export const KNOWN_FAILURES: ReadonlyMap<string, string> = new Map([
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef without anchor in fragment behaves identical to $ref",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
    DYNAMIC,
  ],
  ["draft2020-12/dynamicRef.json: multiple dynamic paths to the $dynamicRef keyword", DYNAMIC],
  [
    "draft2020-12/dynamicRef.json: after leaving a dynamic scope, it is not used by a $dynamicRef",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: tests for implementation dynamic anchor and reference link",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: $ref and $dynamicAnchor are independent of order - $defs first",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: $ref and $dynamicAnchor are independent of order - $ref first",
    DYNAMIC,
  ],
  ["draft2020-12/dynamicRef.json: $ref to $dynamicRef finds detached $dynamicAnchor", DYNAMIC],
  ["draft2020-12/dynamicRef.json: $dynamicRef points to a boolean schema", DYNAMIC],
  [
    "draft2020-12/dynamicRef.json: $dynamicRef skips over intermediate resources - direct reference",
    DYNAMIC,
  ],
  [
    "draft2020-12/dynamicRef.json: $dynamicRef avoids the root of each schema, but scopes are still registered",
    DYNAMIC,
  ],
  ["draft2020-12/unevaluatedItems.json: unevaluatedItems with nested items", NESTED],
  ["draft2020-12/unevaluatedItems.json: unevaluatedItems with $dynamicRef", DYNAMIC],
  ["draft2020-12/unevaluatedItems.json: unevaluatedItems depends on adjacent contains", CONTAINS],
  [
    "draft2020-12/unevaluatedItems.json: unevaluatedItems depends on multiple nested contains",
    CONTAINS,
  ],
  [
    "draft2020-12/unevaluatedItems.json: unevaluatedItems and contains interact to control item dependency relationship",
    CONTAINS,
  ],
  ["draft2020-12/unevaluatedItems.json: unevaluatedItems with minContains = 0", CONTAINS],
  [
    "draft2020-12/unevaluatedItems.json: unevaluatedItems can see annotations from if without then and else",
    CONDITION,
  ],
  [
    "draft2020-12/unevaluatedProperties.json: unevaluatedProperties with if/then/else, then not defined",
    CONDITION,
  ],
  ["draft2020-12/unevaluatedProperties.json: unevaluatedProperties with $dynamicRef", DYNAMIC],
  [
    "draft2020-12/unevaluatedProperties.json: unevaluatedProperties can see annotations from if without then and else",
    CONDITION,
  ],
  [
    "draft2020-12/vocabulary.json: schema that uses custom metaschema with with no validation vocabulary",
    VOCABULARY,
  ],
]);

/** Of the grammars. */
export const UNWRITTEN: readonly string[] = [
  // There the suite wants `format` to say nothing; here it is asserted.
  "draft2020-12/format.json: ",
  // A metaschema that leaves out the vocabulary of assertions.
  "draft2020-12/vocabulary.json: ",
];
