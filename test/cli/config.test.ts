/** `chorale config`: what is shown, and what is written. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { chorale } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

let root: string;
let path: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "config-test-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => {
  rmSync(join(root, "chorale"), { recursive: true, force: true });
  path = join(root, "chorale", "config.json");
});

const config = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  inProcess(["config", ...args], { XDG_CONFIG_HOME: root, HOME: root, ...env });
const written = (): unknown => JSON.parse(readFileSync(path, "utf8"));

test("a first setting makes the file, for its owner alone", async () => {
  expect(await config(["path"])).toMatchObject({ code: 0, stdout: `${path}\n` });
  expect(existsSync(path)).toBe(false);
  expect((await config(["set", "effort", "low"])).code).toBe(0);
  expect(written()).toEqual({ effort: "low" });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(dirname(path))).toEqual(["config.json"]);
});

test("values are written as what they are, and other keys stay", async () => {
  mkdirSync(dirname(path));
  writeFileSync(path, '\ufeff{"mcpServers":{"a":{"command":"x"}}}');
  await config(["set", "seed", "7"]);
  await config(["set", "presence-penalty", "-0.5"]);
  await config(["set", "quiet", "true"]);
  await config(["set", "memory", "8G"]);
  await config(["set", "tool", "a.ts", "b.ts"]);
  await config(["set", "effort", "high", "--profile", "quick"]);
  await config(["set", "profile", "quick"]);
  expect(written()).toEqual({
    mcpServers: { a: { command: "x" } },
    seed: 7,
    "presence-penalty": -0.5,
    quiet: true,
    memory: "8G",
    tool: ["a.ts", "b.ts"],
    profiles: { quick: { effort: "high" } },
    profile: "quick",
  });
  expect((await config(["get", "effort"])).stdout).toBe("high\n");
  expect((await config(["get", "memory", "--json"])).stdout).toBe("8589934592\n");
  expect((await config(["get", "tool"])).stdout).toBe("a.ts\nb.ts\n");
  expect((await config(["get", "profile"])).stdout).toBe("quick\n");
  await config(["unset", "effort", "--profile", "quick"]);
  await config(["unset", "tool"]);
  expect(written()).toMatchObject({ profiles: { quick: {} }, profile: "quick" });
  await config(["unset", "--profile", "quick"]);
  expect(written()).not.toHaveProperty("profile");
});

test.each<[string[], string]>([
  [["set", "efort", "low"], '"efort" is no setting; did you mean effort?'],
  [["set", "effort", "lowest"], 'effort is "lowest"; accepted: low, medium, high.'],
  [["set", "seed", "1", "2"], "seed is given 2 times"],
  [["set", "effort"], "The argument <values> is missing."],
  [["set", "profile", "none"], "there are: none yet. chorale config set NAME VALUE --profile"],
  [["unset"], "Name what is taken out"],
  [["get", "model", "--profile", "x"], "does not have; it has no profiles."],
  [["get", "toString"], '"toString" is no setting'],
  [["lst"], "Did you mean chorale config list?"],
])("config %j is refused and changes nothing", async (args, sentence) => {
  const { code, stderr } = await config(args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
  expect(existsSync(path)).toBe(false);
});

test("what is not set: status 1 for a script", async () => {
  expect(await config(["get", "model"])).toMatchObject({ code: 1, stdout: "" });
  expect(await config(["get", "model", "--json"])).toMatchObject({ code: 1, stdout: "null\n" });
  expect((await config(["unset", "model"])).code).toBe(1);
  expect((await config(["unset", "--profile", "x"])).code).toBe(1);
});

test("every setting with its place, for persons and for programs", async () => {
  await config(["set", "effort", "low"]);
  await config(["set", "seed", "7", "--profile", "quick"]);
  const env = { CHORALE_PROFILE: "quick", CHORALE_MODEL: "~/m", CHORALE_THREADS: "2" };
  const { stdout } = await config([], env);
  expect(stdout).toContain(`Configuration: ${path}\nProfiles: quick (in use)\n`);
  expect(stdout).toMatch(/^model +.+\/m +CHORALE_MODEL$/m);
  expect(stdout).toMatch(/^effort +low +\/.*config\.json$/m);
  expect(stdout).toMatch(/^seed +7 +the profile quick of \/.*config\.json$/m);
  expect(stdout).toMatch(/^top-p +default$/m);
  const { settings } = JSON.parse((await config(["--json"], env)).stdout);
  expect(settings).toMatchObject({
    model: { value: join(root, "m"), source: "environment", place: "CHORALE_MODEL" },
    effort: { value: "low", source: "configuration", place: path },
    threads: { value: 2, source: "environment" },
    seed: { value: 7, source: "profile" },
    "top-p": { source: "default" },
  });
});

test("a value that is none is shown, and the status is 2", async () => {
  const { code, stdout, stderr } = await config(["list"], { CHORALE_SEED: "x" });
  expect(code).toBe(2);
  expect(stdout).toMatch(/^seed +x +CHORALE_SEED$/m);
  expect(stderr).toContain('CHORALE_SEED is "x"');
});

test("a broken file is told, not written over, and mended by hand", async () => {
  mkdirSync(dirname(path));
  writeFileSync(path, '{"effort": ');
  for (const args of [[], ["set", "effort", "low"], ["get", "effort"]]) {
    const { code, stderr } = await config(args);
    expect({ code, told: stderr.includes("is not JSON") }).toEqual({ code: 2, told: true });
  }
  expect(readFileSync(path, "utf8")).toBe('{"effort": ');
  expect((await config(["path"])).code).toBe(0);
});

test("a link stays a link, and a folder that cannot be written is said", async () => {
  mkdirSync(dirname(path));
  const real = join(root, "dotfiles.json");
  writeFileSync(real, "{}", { mode: 0o640 });
  symlinkSync(real, path);
  await config(["set", "effort", "low"]);
  expect(realpathSync(path)).toBe(realpathSync(real));
  expect(statSync(real).mode & 0o777).toBe(0o640);
  expect(written()).toEqual({ effort: "low" });
  const occupied = { CHORALE_CONFIG: join(real, "config.json") };
  const { code, stderr } = await config(["set", "effort", "low"], occupied);
  expect({ code, told: stderr.includes("cannot be") }).toEqual({ code: 2, told: true });
});

test("an editor, with arguments, and a check of what it leaves", async () => {
  const editor = join(root, "editor.sh");
  writeFileSync(editor, 'printf %s "$1" > "$2"\n');
  const edit = (text: string) =>
    chorale(["config", "edit"], {
      home: join(root, "home"),
      env: { XDG_CONFIG_HOME: root, VISUAL: `sh ${editor} '${text}'` },
    });
  expect(await edit('{"effort":"low"}')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("is valid."),
  });
  expect(await edit('{"effort":"x"}')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("accepted: low, medium, high."),
  });
  expect(await edit('{"efort":"x"}')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("did you mean effort?"),
  });
  const failing = await chorale(["config", "edit"], {
    home: join(root, "home"),
    env: { XDG_CONFIG_HOME: root, VISUAL: "false" },
  });
  expect(failing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("ended with 1; set VISUAL"),
  });
});

test("a run takes its settings from a profile", async () => {
  await config(["set", "seed", "5", "--profile", "quick"]);
  await config(["set", "temperature", "0", "--profile", "quick"]);
  const { stdout, code } = await chorale(
    ["run", "--json", "--profile", "quick", "What is 2 + 3?"],
    {
      home: join(root, "home"),
      env: { XDG_CONFIG_HOME: root, CHORALE_TEMPERATURE: "0.5" },
    },
  );
  expect(code).toBe(0);
  const [first] = stdout.split("\n");
  expect(JSON.parse(first ?? "")).toMatchObject({ sampling: { seed: 5, temperature: 0.5 } });
});
