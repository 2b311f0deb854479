/** Open WebUI: it keeps its connections in a database, which the environment fills at the first start. */
import { type ClientSetup, type Connection, KEY_VARIABLE } from "./client-setup.ts";

/** Seconds that a request may take; its own limit of 300 is less than a long prompt needs on a CPU. */
const TIMEOUT_S = 3_600;

export function openWebuiSetup({ url, needsKey }: Connection): ClientSetup {
  const port = new URL(url).port || "80";
  const byOllama = {
    ENABLE_OLLAMA_API: "true",
    OLLAMA_BASE_URL: url,
    ENABLE_OPENAI_API: "false",
  };
  const byOpenai = {
    ENABLE_OLLAMA_API: "false",
    ENABLE_OPENAI_API: "true",
    OPENAI_API_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: `$${KEY_VARIABLE}`,
  };
  return {
    name: "Open WebUI",
    tested: "0.12.4",
    files: [],
    environment: {
      ...(needsKey ? byOpenai : byOllama),
      AIOHTTP_CLIENT_TIMEOUT: String(TIMEOUT_S),
    },
    start: ["open-webui serve"],
    notes: [
      `An Open WebUI that has been started before takes it from its page instead: Admin Panel, Settings, Connections, ${needsKey ? `OpenAI API ${url}/v1 with the key` : `Ollama API ${url}`}. AIOHTTP_CLIENT_TIMEOUT is read at each start.`,
      `In a container the server is at http://host.docker.internal:${port} (docker run --add-host=host.docker.internal:host-gateway), and has to listen there: chorale serve --listen 0.0.0.0 --api-key-file FILE.`,
    ],
    promptTokens: 3_600,
  };
}
