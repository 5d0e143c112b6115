import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { AppError } from "../errors.js";
import { sendProblem } from "./problem-response.js";

/** The open connections of a server: what is being answered on them, how many there are, and how they end. */
export class Connections {
  /**
   * The answer to the last request that came in; null before the first. Answers go out in order, so the rest is done
   * before it. The connection on which nothing has begun for the longest time is first.
   */
  readonly #last = new Map<Socket, ServerResponse | null>();
  readonly #refused = new WeakSet<Socket>();
  readonly #maxConnections: number;
  readonly #sendRawProblem: (socket: Socket, failure: AppError) => void;
  #isDraining = false;

  constructor(maxConnections: number, sendRawProblem: (socket: Socket, failure: AppError) => void) {
    this.#maxConnections = maxConnections;
    this.#sendRawProblem = sendRawProblem;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** One too many takes the place of one that nothing is being answered on, or is closed itself where there is none. */
  add(socket: Socket): void {
    if (this.#last.size >= this.#maxConnections && !this.#closeLongestWaiting()) {
      socket.destroy();
      return;
    }
    this.#last.set(socket, null);
    socket.once("close", () => this.#last.delete(socket));
  }

  begin(socket: Socket, res: ServerResponse): void {
    this.#last.delete(socket);
    this.#last.set(socket, res);
    if (this.#isDraining) res.shouldKeepAlive = false;
    res.once("close", () => {
      // An answer that had begun before the draining promised to keep the connection.
      if (this.#isDraining && this.#last.get(socket) === res) socket.destroySoon();
    });
  }

  /** What comes in can't be read any further: says so if it can be said, and closes the connection. */
  refuse(socket: Socket, failure: AppError): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const last = this.#last.get(socket) ?? null;
    if (!socket.writable) {
      socket.destroy();
    } else if (last === null || (last.req.complete && last.writableFinished)) {
      this.#sendRawProblem(socket, failure);
    } else if (last.req.complete) {
      // The fault is in what came after a good request, which is still answered.
      last.shouldKeepAlive = false;
      last.once("close", () => {
        socket.destroySoon();
      });
    } else if (last.headersSent) {
      socket.destroy();
    } else {
      last.shouldKeepAlive = false;
      sendProblem(last, last.req, failure);
    }
  }

  /** From now on every connection closes after its last answer, and those without a request at once. */
  startDraining(): void {
    this.#isDraining = true;
    for (const [socket, last] of this.#last) {
      if (last !== null) last.shouldKeepAlive = false;
      // http.Server closes those that wait for a next request, but not those that wait for their first.
      else if (socket.bytesRead === 0) socket.destroy();
    }
  }

  destroyAll(): void {
    for (const socket of this.#last.keys()) socket.destroy();
  }

  /** Unlike http.Server's own limit, this one can't be used to lock others out by holding connections open. */
  #closeLongestWaiting(): boolean {
    for (const [socket, last] of this.#last) {
      // The request may still be on its way, a byte at a time.
      if (last !== null && last.req.complete && !last.writableFinished) continue;
      this.#last.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }
}
