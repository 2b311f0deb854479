/** A real forward proxy on loopback, whose internet is a table of the test. */
import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { listen } from "./loopback.ts";

export type TestProxy = {
  /** As a variable of the environment has it. */
  readonly url: string;
  readonly port: number;
  /** What it was asked for: `CONNECT host:port`, or `GET http://host/path`. */
  readonly asked: string[];
  readonly headers: NodeJS.Dict<string | string[]>[];
};

/**
 * @param reach  the port of loopback at which what a host stands for listens; null for what is not there
 * @param refuses  status with which it answers a request that it does not pass on; undefined to pass it on
 */
export async function serveProxy(
  reach: (host: string, port: string) => number | null,
  refuses: (asked: string) => number | undefined = () => undefined,
): Promise<TestProxy> {
  const asked: string[] = [];
  const headers: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(line);
    headers.push(request.headers);
    const url = URL.parse(request.url ?? "");
    const port = url === null ? null : reach(url.hostname, url.port || "80");
    const refused = refuses(line) ?? (port === null ? 502 : undefined);
    if (refused !== undefined || url === null) {
      response.writeHead(refused ?? 400).end();
      return;
    }
    const options = { host: "127.0.0.1", port: port ?? 0, path: `${url.pathname}${url.search}` };
    const passed = httpRequest({ ...options, headers: { host: url.host } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    passed.end();
  });
  server.on("connect", (request, socket) => {
    const line = `CONNECT ${request.url}`;
    asked.push(line);
    headers.push(request.headers);
    const [, host = "", at = ""] = /^(.*):(\d+)$/.exec(request.url ?? "") ?? [];
    const port = reach(host, at);
    const refused = refuses(line) ?? (port === null ? 502 : undefined);
    if (refused !== undefined) {
      socket.end(`HTTP/1.1 ${refused} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const there = connect(port ?? 0, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(there).pipe(socket);
    });
    there.on("error", () => socket.destroy());
    socket.on("error", () => there.destroy());
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, port, asked, headers };
}
