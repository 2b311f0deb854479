/**
 * Which of a name's addresses is connected to (RFC 8305, "Happy Eyeballs"): the first that answers, where one that
 * does not answer (IPv6 in many networks) holds up the others for a moment only.
 */
import type { Socket } from "node:net";

import { AddressRefusedError } from "./errors.ts";

/**
 * Longer than the RFC's 250 ms, since a connection here includes TLS: a server far away is then not asked twice.
 */
const NEXT_ADDRESS_MS = 1000;

/**
 * Tries the addresses in their order: the next one when one has failed, or has not answered for a moment.
 *
 * @param addresses  at least one
 * @returns the first connection; others that come later are closed
 * @throws what the last address failed with; AddressRefusedError at once
 */
export function firstConnected(
  addresses: readonly string[],
  connect: (address: string) => Promise<Socket>,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let next = 0;
  let pending = 0;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;

  const end = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  const failed = (error: unknown): void => {
    pending--;
    if (isOver) return;
    if (error instanceof AddressRefusedError || (next === addresses.length && pending === 0)) {
      end();
      reject(error);
    } else tryNext();
  };
  const connected = (socket: Socket): void => {
    pending--;
    if (isOver) {
      socket.destroy();
      return;
    }
    end();
    resolve(socket);
  };
  const tryNext = (): void => {
    clearTimeout(timer);
    const address = addresses[next];
    if (address === undefined) return;
    next++;
    pending++;
    timer = setTimeout(tryNext, NEXT_ADDRESS_MS);
    connect(address).then(connected, failed);
  };
  tryNext();
  return promise;
}
