/**
 * Open WebUI as its page uses it, with the variables that `chorale connect` prints: the model is found, a chat with
 * a tool that Open WebUI runs itself, the chain of thought in its fold, and a title made beside it.
 */
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect, type TestContext } from "vitest";
import {
  ANSWER,
  answers,
  type Client,
  clientTest,
  MODEL,
  type Script,
  TASK,
  THOUGHT,
  toolTurn,
} from "./client-test.ts";
import { openWebuiCommand } from "./open-webui-install.ts";
import { FILE } from "./workplace.ts";

const TURN = toolTurn("list_files", { folder: "." });
const TOOL = `class Tools:
    def list_files(self, folder: str) -> str:
        """
        Lists the files of a folder.
        :param folder: The folder.
        """
        return "${FILE}"
`;

type Json = Record<string, unknown>;
type Call = (path: string, body?: object) => Promise<Json>;

const KEY = "key-of-a-test";
const SCRIPT: Script = (prompt) =>
  prompt.includes("### Task:") ? answers('{"title": "A listing"}') : TURN(prompt);

clientTest("Open WebUI, as with Ollama", [], SCRIPT, (client, context) =>
  useAsItsPage(client, context, "ollama"),
);

clientTest(
  "Open WebUI, by a key and OpenAI's API",
  [],
  SCRIPT,
  (client, context) => useAsItsPage(client, context, "openai"),
  { keys: [KEY] },
);

async function useAsItsPage(client: Client, context: TestContext, owner: string): Promise<void> {
  const command = openWebuiCommand();
  if (command === null) return context.skip("Open WebUI is not installed (npm run test:clients)");
  const call = await start(client, command, context.signal);
  expect(await call("/api/models")).toMatchObject({ data: [{ id: MODEL, owned_by: owner }] });

  await call("/api/v1/tools/create", {
    ...{ id: "files", name: "Files", content: TOOL, meta: { description: "Files" } },
  });
  const { id, message } = await newChat(call);
  await call("/api/chat/completions", {
    ...{ model: MODEL, stream: true, params: {}, messages: [{ role: "user", content: TASK }] },
    ...{ chat_id: id, id: message, session_id: "page", tool_ids: ["files"] },
    background_tasks: { title_generation: true },
  });
  const chat = await chatWithTitle(call, id, context.signal);
  expect(chat.title).toBe("A listing");
  const { content, output } = chat.chat.history.messages[message] ?? {};
  expect(content).toBe(ANSWER);
  expect(output).toMatchObject([
    { type: "reasoning", content: [{ text: THOUGHT }] },
    { type: "function_call", name: "list_files" },
    { type: "function_call_output", output: [{ text: FILE }] },
    { type: "message" },
  ]);
  // It sends no reasoning back: the server remembers it.
  const behind = client.promptsWith("list_files").at(-1);
  expect(behind).toContain(`<|channel|>analysis<|message|>${THOUGHT}<|end|>`);
  expect(behind).toContain(FILE);
}

/** @returns asks its API as the page does, signed in */
async function start(client: Client, command: string, signal: AbortSignal): Promise<Call> {
  const { stdout } = await client.connect("open-webui", "--json");
  const { environment } = JSON.parse(stdout) as { environment: Record<string, string> };
  const port = await freePort();
  const variables = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace("$CHORALE_API_KEY", KEY),
  ]);
  const said = client.keepRunning(command, ["serve", "--host", "127.0.0.1", "--port", `${port}`], {
    ...Object.fromEntries(variables),
    WEBUI_AUTH: "False",
    WEBUI_SECRET_KEY: "of-a-test",
    DATA_DIR: client.home,
    // Nothing is looked for in a network, and no model of embeddings is loaded.
    OFFLINE_MODE: "true",
    HF_HUB_OFFLINE: "1",
    RAG_EMBEDDING_ENGINE: "ollama",
  });
  let token = "";
  const call: Call = async (path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    expect(response.status, `${path}: ${text}`).toBe(200);
    return JSON.parse(text) as Json;
  };
  for (;;) {
    const isUp = await fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    if (said().includes("Traceback")) throw new Error(said());
    await delay(500, undefined, { signal });
  }
  token = String((await call("/api/v1/auths/signin", { email: "", password: "" }))["token"]);
  return call;
}

async function newChat(call: Call): Promise<{ readonly id: string; readonly message: string }> {
  const [question, message] = [crypto.randomUUID(), crypto.randomUUID()];
  const models = [MODEL];
  const messages = {
    [question]: {
      ...{ id: question, parentId: null, childrenIds: [message], role: "user" },
      ...{ content: TASK, timestamp: 1, models },
    },
    [message]: {
      ...{ id: message, parentId: question, childrenIds: [], role: "assistant" },
      ...{ content: "", timestamp: 2, model: MODEL },
    },
  };
  const { id } = await call("/api/v1/chats/new", {
    chat: {
      ...{ title: "New Chat", models, timestamp: 1, messages: Object.values(messages) },
      history: { messages, currentId: message },
    },
  });
  return { id: String(id), message };
}

type Chat = {
  readonly title: string;
  readonly chat: { readonly history: { readonly messages: Readonly<Record<string, Json>> } };
};

/** The title comes behind the answer. */
async function chatWithTitle(call: Call, id: string, signal: AbortSignal): Promise<Chat> {
  for (;;) {
    const chat = (await call(`/api/v1/chats/${id}`)) as Chat;
    if (chat.title !== "New Chat") return chat;
    await delay(200, undefined, { signal });
  }
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const address = probe.address();
    probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
  });
  return promise;
}
