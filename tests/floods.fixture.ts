import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface FloodRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface FloodAnswer {
  /** The code of a problem, else the status. */
  readonly code: string;
  readonly retryAfter: string | null;
}

const CONNECTIONS = 50;
/** How many requests a connection sends before it waits for their answers; the app closes one that sends 17. */
const AT_ONCE = 16;

/** The address of whoever uses a connection, as a trusted proxy names it. */
export function addressOf(connection: number): string {
  return `203.0.113.${connection}`;
}

/** Sends so many requests over fifty connections, and writes bytes itself: most of the time is the app's. */
export async function flood(
  port: number,
  size: number,
  build: (nth: number, connection: number) => FloodRequest,
): Promise<FloodAnswer[]> {
  const answers: FloodAnswer[] = [];
  let next = 0;
  const run = async (connection: number): Promise<void> => {
    const socket = connect({ port, host: "127.0.0.1" });
    await once(socket, "connect");
    const reader = new AnswerReader(socket);
    while (next < size) {
      const count = Math.min(AT_ONCE, size - next);
      const requests = Array.from({ length: count }, () => write(build(next++, connection)));
      socket.write(requests.join(""));
      for (let nth = 0; nth < count; nth += 1) answers.push(await reader.read());
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => run(connection)));
  return answers;
}

/** How often each was told. */
export function tally(answers: readonly FloodAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code } of answers) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

function write({ method = "GET", path, headers, body = "" }: FloodRequest): string {
  const all = { host: "localhost", "content-length": String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/1.1`, ...lines, "", body].join("\r\n");
}

/** Reads one answer after the other from a connection. */
class AnswerReader {
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#wake();
    });
    // What was closed is told by whoever waits for an answer.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#wake();
    });
  }

  async read(): Promise<FloodAnswer> {
    for (;;) {
      const answer = this.#take();
      if (answer) return answer;
      if (this.#socket.destroyed) throw new Error(`The app closed the connection: ${this.#text}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(): FloodAnswer | null {
    const headEnd = this.#text.indexOf("\r\n\r\n");
    if (headEnd < 0) return null;
    const head = this.#text.slice(0, headEnd);
    const end = headEnd + 4 + Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    if (this.#text.length < end) return null;
    const body = this.#text.slice(headEnd + 4, end);
    this.#text = this.#text.slice(end);
    const status = head.split(" ")[1] ?? "";
    const { code } = (body === "" ? {} : JSON.parse(body)) as { code?: string };
    return { code: code ?? status, retryAfter: /^retry-after: (.*)$/im.exec(head)?.[1] ?? null };
  }
}
