/**
 * A server can keep the parser of its answers busy without giving any content: with endless extensions of
 * chunks, or one answer "103 Early Hints" after the other. undici bounds headers and silence, the callers
 * bound the content; this bounds what is neither.
 */
import type { Socket } from "node:net";

import { ResponseOverheadError } from "./errors.ts";
import type { Dispatcher } from "./undici.ts";

/** Frames and headers that any number of answers may have beyond as many bytes as their content. */
const ALLOWED_BYTES = 1024 * 1024;
const MOST_INFORMATIONAL = 16;
const CHECK_MS = 50;

/** Bytes that came through all sockets of a dispatcher, and how many of them were content. */
export class ReceivedBytes {
  readonly #open = new Set<Socket>();
  #closed = 0;
  content = 0;

  add(socket: Socket): void {
    this.#open.add(socket);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closed += socket.bytesRead;
    });
  }

  get total(): number {
    let total = this.#closed;
    for (const socket of this.#open) total += socket.bytesRead;
    return total;
  }
}

/** An undici interceptor; a response with too much around its content fails with ResponseOverheadError. */
export function boundOverhead(received: ReceivedBytes): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => dispatch(options, bounded(handler, options, received));
}

function bounded(
  handler: Dispatcher.DispatchHandler,
  { origin }: Dispatcher.DispatchOptions,
  received: ReceivedBytes,
): Dispatcher.DispatchHandler {
  const before = { total: received.total, content: received.content };
  let informational = 0;
  let timer: NodeJS.Timeout | undefined;
  const refuse = (controller: Dispatcher.DispatchController): void => {
    clearInterval(timer);
    controller.abort(new ResponseOverheadError(String(origin)));
  };
  const check = (controller: Dispatcher.DispatchController): void => {
    const content = received.content - before.content;
    const overhead = received.total - before.total - content;
    if (overhead > ALLOWED_BYTES + content) refuse(controller);
  };
  return {
    onRequestStart(controller, context) {
      clearInterval(timer);
      timer = setInterval(() => check(controller), CHECK_MS);
      timer.unref();
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...args) => handler.onRequestUpgrade?.(...args),
    onResponseStart(controller, status, headers, message) {
      if (status < 200 && ++informational > MOST_INFORMATIONAL) return refuse(controller);
      handler.onResponseStart?.(controller, status, headers, message);
    },
    onResponseData(controller, chunk) {
      received.content += chunk.length;
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd(controller, trailers) {
      clearInterval(timer);
      handler.onResponseEnd?.(controller, trailers);
    },
    onResponseError(controller, error) {
      clearInterval(timer);
      handler.onResponseError?.(controller, error);
    },
  };
}
