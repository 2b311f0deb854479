/** A network between a client and a server on loopback, which can be cut, or hold back what is sent. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of a piece that a client sent: it goes on, or its connection ends before or behind it. */
export type Fate = "pass" | "cut before" | "cut behind";

export class LoopbackProxy implements AsyncDisposable {
  /** Asked for each piece of a client. */
  fateOf: (piece: Buffer) => Fate = () => "pass";
  readonly #target: URL;
  readonly #server: Server;
  readonly #pairs: Set<readonly [Socket, Socket]> = new Set();
  #isHeld = false;

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  /** In front of the server that a URL names. */
  static async open(url: string): Promise<LoopbackProxy> {
    const proxy = new LoopbackProxy(new URL(url));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** The same URL by this way. */
  get url(): string {
    const url = new URL(this.#target);
    url.port = String((this.#server.address() as AddressInfo).port);
    return url.href;
  }

  /** Ends every connection. */
  cut(): void {
    for (const pair of this.#pairs) {
      for (const socket of pair) socket.resetAndDestroy();
    }
  }

  /** Nothing passes in either direction, and connections stay, as when a cable is pulled. */
  hold(): void {
    this.#isHeld = true;
    for (const pair of this.#pairs) {
      for (const socket of pair) socket.pause();
    }
  }

  /** What was held back passes now. */
  release(): void {
    this.#isHeld = false;
    for (const pair of this.#pairs) {
      for (const socket of pair) socket.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket): void {
    const server = connect(Number(this.#target.port), this.#target.hostname);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    let isCut = false;
    for (const [from, to] of [pair, [server, client] as const]) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#isHeld) from.pause();
    }
    client.on("data", (piece) => {
      const fate = this.fateOf(piece);
      if (fate === "cut before") return void server.resetAndDestroy();
      isCut ||= fate === "cut behind";
      server.write(piece);
    });
    server.on("data", (piece) => {
      // The server has done it, and its answer never arrives.
      if (isCut) client.resetAndDestroy();
      else client.write(piece);
    });
  }
}
