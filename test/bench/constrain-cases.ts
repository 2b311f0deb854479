/** Schemas of the kinds that tools and answers have, each with documents that are valid against it. */
export type Case = {
  readonly name: string;
  readonly schema: Record<string, unknown>;
  readonly documents: readonly unknown[];
};

const text = { type: "string" };
const date = { type: "string", format: "date" };
const money = { type: "number", minimum: 0 };

const address = {
  type: "object",
  properties: {
    street: { type: "string", maxLength: 80 },
    city: { type: "string", maxLength: 60 },
    postcode: { type: "string", pattern: "^[A-Z0-9 -]{3,10}$" },
    country: { type: "string", pattern: "^[A-Z]{2}$" },
  },
  required: ["street", "city", "country"],
  additionalProperties: false,
};

export const CASES: readonly Case[] = [
  {
    name: "weather",
    schema: {
      type: "object",
      properties: {
        location: { type: "string", description: "City and country" },
        unit: { type: "string", enum: ["celsius", "fahrenheit"] },
        days: { type: "integer", minimum: 1, maximum: 14 },
      },
      required: ["location"],
      additionalProperties: false,
    },
    documents: [
      { location: "Zürich, Switzerland", unit: "celsius", days: 5 },
      { location: "San Francisco, CA" },
    ],
  },
  {
    name: "search",
    schema: {
      type: "object",
      properties: {
        query: { type: "string", minLength: 1, maxLength: 400 },
        limit: { type: "integer", minimum: 1, maximum: 100 },
        filters: {
          type: "array",
          maxItems: 10,
          items: {
            type: "object",
            properties: {
              field: text,
              operator: { enum: ["eq", "ne", "lt", "gt", "contains"] },
              value: { type: ["string", "number", "boolean", "null"] },
            },
            required: ["field", "operator", "value"],
            additionalProperties: false,
          },
        },
        sort: { type: "string", enum: ["relevance", "date", "-date"] },
      },
      required: ["query"],
      additionalProperties: false,
    },
    documents: [
      {
        query: 'constrained decoding "token masks" for language models',
        limit: 25,
        filters: [
          { field: "year", operator: "gt", value: 2022 },
          { field: "language", operator: "eq", value: "日本語" },
          { field: "archived", operator: "ne", value: true },
        ],
        sort: "-date",
      },
    ],
  },
  {
    name: "invoice",
    schema: {
      type: "object",
      properties: {
        number: { type: "string", pattern: "^INV-[0-9]{6}$" },
        issued: date,
        due: date,
        seller: { $ref: "#/$defs/party" },
        buyer: { $ref: "#/$defs/party" },
        lines: {
          type: "array",
          minItems: 1,
          items: {
            type: "object",
            properties: {
              description: { type: "string", maxLength: 200 },
              quantity: { type: "integer", minimum: 1 },
              price: money,
              vat: { enum: [0, 2.6, 3.8, 8.1] },
            },
            required: ["description", "quantity", "price"],
            additionalProperties: false,
          },
        },
        total: money,
        notes: { type: ["string", "null"] },
      },
      required: ["number", "issued", "seller", "buyer", "lines", "total"],
      additionalProperties: false,
      $defs: {
        party: {
          type: "object",
          properties: { name: text, address, email: { type: "string", format: "email" } },
          required: ["name", "address"],
          additionalProperties: false,
        },
      },
    },
    documents: [
      {
        number: "INV-004217",
        issued: "2026-03-01",
        due: "2026-03-31",
        seller: {
          name: "Müller & Söhne AG",
          address: { street: "Bahnhofstrasse 12", city: "Bern", postcode: "3011", country: "CH" },
          email: "billing@example.com",
        },
        buyer: {
          name: "Northwind Traders",
          address: { street: "1 Main St", city: "Springfield", country: "US" },
        },
        lines: [
          { description: "Consulting, March", quantity: 12, price: 180.5, vat: 8.1 },
          { description: 'Screws "M4" \\ box of 100', quantity: 3, price: 7.2 },
        ],
        total: 2187.6,
        notes: null,
      },
    ],
  },
  {
    name: "file edit",
    schema: {
      type: "object",
      properties: {
        path: text,
        edits: {
          type: "array",
          items: {
            oneOf: [
              {
                type: "object",
                properties: { op: { const: "insert" }, line: { type: "integer" }, text },
                required: ["op", "line", "text"],
                additionalProperties: false,
              },
              {
                type: "object",
                properties: {
                  op: { const: "delete" },
                  from: { type: "integer" },
                  to: { type: "integer" },
                },
                required: ["op", "from", "to"],
                additionalProperties: false,
              },
            ],
          },
        },
      },
      required: ["path", "edits"],
      additionalProperties: false,
    },
    documents: [
      {
        path: "src/parser/tokens.ts",
        edits: [
          { op: "insert", line: 12, text: 'const name = "value";\nexport { name };\n' },
          { op: "delete", from: 40, to: 52 },
          { op: "insert", line: 1, text: "// Copyright\n\timport x from './y.js'" },
        ],
      },
    ],
  },
  {
    name: "open object",
    schema: {
      type: "object",
      properties: {
        id: { type: "string", format: "uuid" },
        name: text,
        tags: { type: "array", items: text, uniqueItems: false },
        created: { type: "string", format: "date-time" },
      },
      required: ["id", "name"],
    },
    documents: [
      {
        id: "123e4567-e89b-12d3-a456-426614174000",
        name: "Quarterly report",
        tags: ["finance", "draft", "Q3 2026"],
        created: "2026-10-01T09:30:00Z",
        owner: { name: "Ada", roles: ["admin", "editor"], active: true },
        size: 1.25e6,
      },
    ],
  },
  {
    name: "tree",
    schema: {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: {
            label: text,
            weight: { type: "number" },
            children: { type: "array", items: { $ref: "#/$defs/node" } },
          },
          required: ["label"],
          additionalProperties: false,
        },
      },
    },
    documents: [
      {
        label: "root",
        weight: -0.5,
        children: [
          { label: "left", children: [{ label: "leaf a" }, { label: "leaf b", weight: 3 }] },
          { label: "right", weight: 12e-3, children: [] },
        ],
      },
    ],
  },
  {
    name: "map of numbers",
    schema: {
      type: "object",
      patternProperties: { "^[a-z][a-z0-9_]*$": { type: "number" } },
      additionalProperties: false,
    },
    documents: [{ alpha: 1, beta_2: 2.75, gamma: -3e8, long_variable_name_for_a_metric: 0 }],
  },
  {
    name: "many properties",
    schema: {
      type: "object",
      properties: Object.fromEntries(
        Array.from({ length: 60 }, (_, index) => [
          `setting_${index}`,
          [text, { type: "boolean" }, { type: "integer" }][index % 3],
        ]),
      ),
      additionalProperties: false,
    },
    documents: [
      Object.fromEntries(
        Array.from({ length: 60 }, (_, index) => [
          `setting_${index}`,
          [`value ${index}`, index % 2 === 0, index * 37][index % 3],
        ]),
      ),
    ],
  },
  {
    name: "classification",
    schema: {
      type: "object",
      properties: {
        label: {
          enum: ["positive", "negative", "neutral", "mixed", "not applicable", "needs review"],
        },
        confidence: { type: "number", minimum: 0, maximum: 1 },
        reasons: { type: "array", items: { type: "string", maxLength: 120 }, maxItems: 3 },
      },
      required: ["label", "confidence", "reasons"],
      additionalProperties: false,
    },
    documents: [
      {
        label: "not applicable",
        confidence: 0.87,
        reasons: ["The text is a table of contents.", "There is no opinion in it — only titles."],
      },
    ],
  },
  {
    name: "calendar",
    schema: {
      type: "object",
      properties: {
        title: { type: "string", minLength: 1, maxLength: 100 },
        start: { type: "string", format: "date-time" },
        end: { type: "string", format: "date-time" },
        attendees: {
          type: "array",
          items: { type: "string", format: "email" },
          minItems: 1,
          maxItems: 20,
        },
        recurrence: {
          anyOf: [
            { type: "null" },
            {
              type: "object",
              properties: {
                every: { enum: ["day", "week", "month"] },
                until: date,
                weekdays: {
                  type: "array",
                  items: { enum: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] },
                },
              },
              required: ["every"],
              additionalProperties: false,
            },
          ],
        },
      },
      required: ["title", "start", "end", "attendees"],
      additionalProperties: false,
    },
    documents: [
      {
        title: "Planning: next quarter’s releases",
        start: "2026-12-01T10:00:00+01:00",
        end: "2026-12-01T11:30:00+01:00",
        attendees: ["ada@example.org", "grace.h@example.com"],
        recurrence: { every: "week", until: "2027-02-28", weekdays: ["tue", "thu"] },
      },
    ],
  },
];
