/** The files of `examples/cluster`, held against the commands, the packages and each other. */
import { readdirSync, readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { argumentsOf } from "../cli/arguments-of.ts";

type Service = {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly healthcheck?: object;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const folder = new URL("../../examples/cluster/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const text = read("compose.yaml");
const { services, volumes } = load(text) as Compose;
const own = Object.entries(services).filter(([, { image }]) => image === "chorale-cluster");

/** As compose fills it in: what the environment has, else what stands behind `:-`. */
function filledIn(value: string, env: Readonly<Record<string, string>>): string {
  return value.replace(
    /\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g,
    (_, name: string, otherwise = "") => env[name] ?? otherwise,
  );
}

describe.each(own)("%s", (_name, { command = [], environment = {}, build }) => {
  test("runs a command that there is, with flags and variables that it has", async () => {
    const env = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        filledIn(value, { POSTGRES_PASSWORD: "secret", CHORALE_API_KEY: "key" }),
      ]),
    );
    const args = await argumentsOf(command, env);
    expect(args["engine"]).toEqual(command[1] === "list" ? undefined : ["llama://llama:8080"]);
    if (command[0] === "jobs") {
      expect(args["database"]).toBe("postgres://chorale@postgres:5432/chorale");
      expect(env["PGPASSWORD"]).toBe("secret");
    } else expect(env["CHORALE_API_KEY"]).toBe("key");
    expect(readdirSync(folder)).toContain(build?.dockerfile);
  });
});

test("services, volumes and hosts that are named are there", () => {
  expect(own.map(([name]) => name)).toEqual(["worker", "web", "cli"]);
  for (const [name, service] of Object.entries(services)) {
    for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(services[needed]?.healthcheck, `${name} waits for ${needed}`).toBeDefined();
      expect(condition).toBe("service_healthy");
      // A service that is always started cannot wait for one that may be left out.
      expect(services[needed]?.profiles ?? service.profiles).toEqual(service.profiles);
    }
    for (const volume of service.volumes ?? []) {
      expect(Object.keys(volumes)).toContain(volume.split(":")[0]);
    }
  }
  const urls = [...text.matchAll(/(?:postgres|llama|vllm):\/\/(?:\w+@)?(\w+):(\d+)/g)];
  expect(urls.length).toBeGreaterThan(1);
  for (const [, host = "", port = ""] of urls) {
    const { command = [] } = services[host] ?? {};
    expect(host === "postgres" ? "5432" : command[command.indexOf("--port") + 1]).toBe(port);
  }
});

test("every variable that has to be set is in the example of .env, with no value", () => {
  const needed = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  const given = [...read(".env.example").matchAll(/^(\w+)=(.*)$/gm)];
  for (const name of new Set(needed)) {
    expect(given.find(([, known]) => known === name)?.[2], name).toBe("");
  }
  const profiles = given.find(([, name]) => name === "COMPOSE_PROFILES")?.[2] ?? "";
  expect(Object.values(services).flatMap(({ profiles: all = [] }) => all)).toContain(profiles);
});

test("the image has the packages that jobs ask for, in versions that they take", () => {
  const { peerDependencies } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { peerDependencies: Record<string, string> };
  const containerfile = read("Containerfile");
  for (const [name, range] of Object.entries(peerDependencies)) {
    expect(containerfile).toContain(` ${name}@${/^\^(\d+)\./.exec(range)?.[1]} `);
  }
});

test("the commands of its README are there", async () => {
  const commands = [
    ...read("README.md").matchAll(/^docker compose run --rm cli (.+?)(?: +#.*)?$/gm),
  ];
  expect(commands.length).toBeGreaterThan(1);
  for (const [, line = ""] of commands) {
    const argv = [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
    await argumentsOf(argv, { CHORALE_DATABASE: "postgres://chorale@postgres/chorale" });
  }
});
