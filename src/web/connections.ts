import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { AppError } from "../errors.js";
import { sendProblem } from "./problem-response.js";

/**
 * Requests that may wait for their answers on one connection. Neither browsers nor proxies send a second one before the
 * first is answered; whoever sends thousands makes the app hold thousands of answers in memory.
 */
const MAX_UNANSWERED = 16;

interface Dependencies {
  readonly sendRawProblem: (socket: Socket, failure: AppError) => void;
  /** Whether a body of any length may pass through, for as long as it keeps coming. */
  readonly streams: (req: IncomingMessage) => boolean;
}

interface Progress {
  /** Of what was written, how much has left the process. */
  readonly sentBytes: number;
  readonly sinceMs: number;
}

/** The open connections of a server: what is being answered on them, how many there are, and how they end. */
export class Connections {
  /**
   * The answer to the last request that came in; null before the first. Answers go out in order, so the rest is done
   * before it. The connection on which nothing has begun for the longest time is first.
   */
  readonly #last = new Map<Socket, ServerResponse | null>();
  readonly #unanswered = new WeakMap<Socket, number>();
  readonly #unread = new WeakMap<Socket, Progress>();
  readonly #refused = new WeakSet<Socket>();
  readonly #maxConnections: number;
  readonly #deps: Dependencies;
  #isDraining = false;

  constructor(maxConnections: number, deps: Dependencies) {
    this.#maxConnections = maxConnections;
    this.#deps = deps;
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
    // Each answer that isn't out yet may listen for its end.
    socket.setMaxListeners(2 * MAX_UNANSWERED);
    socket.once("close", () => this.#last.delete(socket));
  }

  /** Whether the request is to be answered; on a connection with too many of them none is any more. */
  begin(socket: Socket, res: ServerResponse): boolean {
    const unanswered = this.#unanswered.get(socket) ?? 0;
    if (unanswered >= MAX_UNANSWERED) socket.destroy();
    if (socket.destroyed) return false;
    this.#unanswered.set(socket, unanswered + 1);
    this.#last.delete(socket);
    this.#last.set(socket, res);
    if (this.#isDraining) res.shouldKeepAlive = false;
    res.once("close", () => {
      this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 1) - 1);
      // An answer that had begun before the draining promised to keep the connection.
      if (this.#isDraining && this.#last.get(socket) === res) socket.destroySoon();
    });
    return true;
  }

  /** Closes the connections of those who have read nothing of their answers for so long. To be called now and then. */
  closeStalled(nowMs: number, stalledMs: number): void {
    for (const socket of this.#last.keys()) {
      const before = this.#unread.get(socket);
      const sentBytes = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength === 0) this.#unread.delete(socket);
      else if (before?.sentBytes !== sentBytes) this.#unread.set(socket, { sentBytes, sinceMs: nowMs });
      else if (nowMs - before.sinceMs >= stalledMs) socket.destroy();
    }
  }

  /** Whether a body that may pass through is still on its way. */
  isStreaming(socket: Socket): boolean {
    const req = this.#last.get(socket)?.req;
    return req !== undefined && !req.complete && this.#deps.streams(req);
  }

  /** What comes in can't be read any further: says so if it can be said, and closes the connection. */
  refuse(socket: Socket, failure: AppError): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const last = this.#last.get(socket) ?? null;
    if (!socket.writable) {
      socket.destroy();
    } else if (last === null || (last.req.complete && last.writableFinished)) {
      this.#deps.sendRawProblem(socket, failure);
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

  /** Unlike http.Server's own limit, this one doesn't let anybody lock others out by holding idle connections open. */
  #closeLongestWaiting(): boolean {
    const longest = this.#findLongestWaiting();
    if (longest === null) return false;
    this.#last.delete(longest);
    longest.destroy();
    return true;
  }

  /** One with a body that was let in only where there are no others. */
  #findLongestWaiting(): Socket | null {
    let letIn: Socket | null = null;
    for (const [socket, last] of this.#last) {
      // The request may still be on its way, a byte at a time.
      if (last !== null && last.req.complete && !last.writableFinished) continue;
      if (last === null || !this.#isLetIn(last)) return socket;
      letIn ??= socket;
    }
    return letIn;
  }

  /** Somebody takes the body, and not to throw it away behind an answer. */
  #isLetIn({ req, headersSent }: ServerResponse): boolean {
    return !req.complete && !headersSent && req.readableFlowing !== null && this.#deps.streams(req);
  }
}
