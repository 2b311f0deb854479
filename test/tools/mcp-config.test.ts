import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isToolName } from "../../tools/core/registry.ts";
import { childEnvironment } from "../../tools/mcp/child-env.ts";
import { parseMcpServers } from "../../tools/mcp/index.ts";
import { LineReader } from "../../tools/mcp/line-reader.ts";
import { toolNames } from "../../tools/mcp/names.ts";
import { untrustedSchema, untrustedText } from "../../tools/mcp/untrusted-text.ts";
import { expandVariables } from "../../tools/mcp/variables.ts";

const ENV = { TOKEN: "t0ken", EMPTY: "", HOME: "/home/u" };

function parse(entry: unknown, notes: string[] = []) {
  const options = {
    env: ENV,
    folder: "/project",
    source: "mcp.json",
    onNote: (n: string) => notes.push(n),
  };
  return parseMcpServers({ mcpServers: { one: entry } }, options)[0];
}

describe("mcpServers as others write it", () => {
  test.each([
    [
      "Claude Code, stdio",
      { command: "npx", args: ["-y", "pkg", "$" + "{TOKEN}"], env: { KEY: "$" + "{NONE:-d}" } },
      {
        kind: "stdio",
        command: "npx",
        args: ["-y", "pkg", "t0ken"],
        env: { KEY: "d" },
        cwd: "/project",
      },
    ],
    [
      "Claude Code, http",
      {
        type: "http",
        url: "https://h.example/mcp",
        headers: { Authorization: "Bearer $" + "{TOKEN}" },
      },
      {
        kind: "http",
        url: "https://h.example/mcp",
        transport: "streamable-http",
        headers: { Authorization: "Bearer t0ken" },
        oauth: { grant: "authorization_code" },
      },
    ],
    [
      "Claude Code, sse",
      { type: "sse", url: "https://h.example/s" },
      { kind: "http", transport: "sse" },
    ],
    [
      "Cursor",
      { url: "https://h.example/mcp", headers: { "X-Key": "$" + "{env:TOKEN}" } },
      { transport: "auto", headers: { "X-Key": "t0ken" } },
    ],
    [
      "Gemini CLI, remote",
      { httpUrl: "https://h.example/mcp", headers: { "X-Key": "$TOKEN" } },
      { transport: "streamable-http", headers: { "X-Key": "t0ken" } },
    ],
    [
      "Codex",
      { url: "https://h.example/mcp", bearer_token_env_var: "TOKEN" },
      { headers: { Authorization: "Bearer t0ken" } },
    ],
    ["a folder of its own", { command: "x", cwd: "~/w" }, { cwd: "/home/u/w" }],
    ["a dollar sign", { command: "x", args: ["a$$b", "5$"] }, { args: ["a$b", "5$"] }],
  ])("%s", (_, entry, expected) => {
    expect(parse(entry)?.target).toMatchObject(expected);
  });

  test.each([
    ["the default", {}, { timeoutMs: 60_000, startupTimeoutMs: 30_000 }],
    ["Gemini CLI and llama-server", { timeout: 5000 }, { timeoutMs: 5000 }],
    ["llama-server", { timeout_ms: 7000 }, { timeoutMs: 7000 }],
    [
      "Codex",
      { tool_timeout_sec: 9, startup_timeout_sec: 1.5 },
      { timeoutMs: 9000, startupTimeoutMs: 1500 },
    ],
    [
      "trust and filters",
      { trust: true, includeTools: ["a"], excludeTools: ["b"] },
      {
        trust: true,
        includeTools: ["a"],
        excludeTools: ["b"],
      },
    ],
    [
      "Codex's filters",
      { enabled_tools: ["a"], disabled_tools: ["b"] },
      {
        includeTools: ["a"],
        excludeTools: ["b"],
      },
    ],
    ["roots", { roots: [".", "/x"] }, { roots: ["/project", "/x"] }],
  ])("%s", (_, more, expected) => {
    expect(parse({ command: "x", ...more })).toMatchObject(expected);
  });

  test("one that is disabled is left out; keys without a meaning are told", () => {
    const notes: string[] = [];
    expect(parse({ command: "x", disabled: true })).toBeUndefined();
    expect(parse({ command: "x", enabled: false })).toBeUndefined();
    expect(parse({ command: "x", autoApprove: [], colour: 1, size: 2 }, notes)).toBeDefined();
    expect(notes).toEqual([
      'mcp.json: the MCP server one has the unknown keys "colour", "size", which have no effect.',
    ]);
  });

  test("the object of servers may stand alone", () => {
    const options = { env: {}, folder: "/", source: "x" };
    expect(parseMcpServers({ a: { command: "x" }, b: { url: "http://b/" } }, options)).toHaveLength(
      2,
    );
  });

  test.each([
    [{}, "it has neither a command nor a url"],
    [{ command: "x", url: "http://y" }, "it has a command and a url"],
    [{ command: 7 }, "its command is 7; accepted: a text"],
    [{ command: " " }, "its command is empty"],
    [{ command: "x", args: "y" }, 'its args is "y"; accepted: a list of texts'],
    [{ command: "x", type: "http" }, 'its type is "http", but it has a command'],
    [{ url: "ftp://x" }, 'its url is "ftp://x"; accepted: http://… or https://…'],
    [{ url: "https://u:p@x/" }, 'its url holds a password; give it in "headers"'],
    [
      { url: "https://x", headers: { "a b": "c" } },
      'its header "a b" is not one that HTTP can carry',
    ],
    [{ url: "https://x", headers: { a: "b\r\nc: d" } }, 'its header "a" is not one'],
    [{ url: "https://x", type: "carrier-pigeon" }, "accepted: stdio, http, sse"],
    [{ command: "x", timeout: 0 }, "its timeout is 0; accepted: milliseconds from 1 to"],
    [{ command: "x", timeout: "30" }, 'its timeout is "30"; accepted: milliseconds'],
    [{ command: "x", trust: "yes" }, 'its trust is "yes"; accepted: true or false'],
    [{ command: "$NONE" }, "the environment variable NONE, which is not set"],
    [{ command: "$" + "{input:key}" }, "accepted: $" + "{NAME}"],
    [{ url: "https://x", bearer_token_env_var: "NONE" }, "NONE for its bearer token is not set"],
    [{ url: "https://x", oauth: { grant: "x" } }, "its oauth.grant is"],
    [{ url: "https://x", oauth: { grant: "client_credentials" } }, "has no clientId"],
    ["x", 'it is "x"; accepted: an object'],
  ])("%j is refused", (entry, problem) => {
    expect(() => parse(entry)).toThrow(problem);
    expect(() => parse(entry)).toThrow(/^mcp\.json: the MCP server "one" cannot be used: /);
  });

  test.each([[7], [null], [[]], [{ mcpServers: [] }]])("%j is no configuration", (json) => {
    expect(() => parseMcpServers(json, { env: {}, folder: "/", source: "x" })).toThrow(
      "accepted: an object of servers by name",
    );
  });

  test("a name that a person could not tell apart is refused", () => {
    const options = { env: {}, folder: "/", source: "x" };
    for (const name of ["", "\u202ename", "a\nb", "-x", "x".repeat(65)]) {
      expect(() => parseMcpServers({ [name]: { command: "x" } }, options)).toThrow("its name");
    }
  });
});

describe("variables", () => {
  test("an empty one has its default, as in a shell", () => {
    expect(expandVariables("[$" + "{EMPTY:-d}][$" + "{EMPTY}][$EMPTY]", ENV)).toBe("[d][][]");
  });

  test("text without a dollar sign is as it was", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll("$", "");
        expect(expandVariables(plain, {})).toBe(plain);
      }),
    );
  });
});

describe("the environment of a server", () => {
  test("has what programs need and what is configured, and no secret", () => {
    const env = {
      PATH: "/bin",
      HOME: "/home/u",
      LC_ALL: "C",
      GITHUB_TOKEN: "x",
      AWS_SECRET_ACCESS_KEY: "x",
      DB_PASSWORD: "x",
      OPENAI_API_KEY: "x",
      NODE_OPTIONS: "--require /x",
      LD_PRELOAD: "/x",
      DOCKER_HOST: "tcp://user:pw@host:1",
      SHELL: "() { :; }; evil",
      RANDOM_THING: "x",
    };
    expect(childEnvironment(env, { MY_TOKEN: "mine", PATH: "/own" })).toEqual({
      PATH: "/own",
      HOME: "/home/u",
      LC_ALL: "C",
      MY_TOKEN: "mine",
    });
  });

  test("inherits no name with TOKEN, SECRET, PASSWORD or KEY in it, in whatever case", () => {
    const word = fc.constantFrom("TOKEN", "secret", "Password", "kEy");
    fc.assert(
      fc.property(fc.string(), word, fc.string(), (before, secret, after) => {
        expect(childEnvironment({ [before + secret + after]: "x" }, {})).toEqual({});
      }),
    );
  });
});

describe("names of tools", () => {
  const anyText = fc.oneof(fc.string(), fc.constantFrom("a-b", "a_b", "a b", "x".repeat(80)));
  const tools = fc.uniqueArray(fc.record({ server: anyText, tool: anyText }), {
    selector: ({ server, tool }) => JSON.stringify([server, tool]),
    maxLength: 12,
  });

  test("are identifiers, all different, and those that are taken stay with their owner", () => {
    fc.assert(
      fc.property(tools, fc.boolean(), (list, takeFirst) => {
        const plain = toolNames(list);
        const taken = new Set(takeFirst ? plain.slice(0, 1) : []);
        const names = toolNames(list, taken);
        expect(names.filter((name) => !isToolName(name))).toEqual([]);
        expect(new Set([...names, ...taken]).size).toBe(names.length + taken.size);
      }),
    );
  });

  test("do not depend on the order in which servers answer", () => {
    fc.assert(
      fc.property(tools, (list) => {
        const backwards = toolNames(list.toReversed()).toReversed();
        expect(backwards).toEqual(toolNames(list));
      }),
    );
  });
});

describe("text that is not trusted", () => {
  test("is bounded, holds no delimiter of a special token, and no character that hides", () => {
    const parts = fc.constantFrom(
      "<|",
      "|>",
      "<｜",
      "\u001b[",
      "\u202e",
      "\u{e0041}",
      "a",
      "\ud800",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string())), fc.nat({ max: 60 }), (list, most) => {
        const shown = untrustedText(list.join(""), most);
        expect(shown.length).toBeLessThanOrEqual(Math.max(most, 1));
        expect(shown).not.toMatch(/<[|\uff5c]|[|\uff5c]>/);
        expect(shown.isWellFormed()).toBe(true);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
        expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u{e0041}]/u);
      }),
    );
  });

  test("of a schema is only what is for readers", () => {
    const schema = {
      type: "object",
      description: "<|end|>",
      properties: { description: { enum: ["<|end|>"], title: "a\u001b[31m" } },
    };
    expect(untrustedSchema(schema)).toEqual({
      type: "object",
      description: "< |end| >",
      properties: { description: { enum: ["<|end|>"], title: "a␛[31m" } },
    });
  });
});

describe("lines", () => {
  test("are the same however the bytes come", () => {
    const cuts = fc.array(fc.nat({ max: 200 }));
    fc.assert(
      fc.property(fc.array(fc.string()), cuts, (list, at) => {
        const lines = list.map((line) => line.replace(/[\r\n]/g, "").toWellFormed());
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const reader = new LineReader(10_000);
        const edges = [...new Set([0, ...at.filter((n) => n < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const found = edges.flatMap((edge, i) => [
          ...reader.push(bytes.subarray(edge, edges[i + 1] ?? edge)),
        ]);
        expect(found).toEqual(lines);
      }),
    );
  });

  test("are bounded", () => {
    const reader = new LineReader(10);
    expect([...reader.push(Buffer.from("0123456789"))].length).toBe(0);
    expect(() => [...reader.push(Buffer.from("x"))]).toThrow("a line of more than 10 bytes");
  });
});
