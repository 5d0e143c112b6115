import http, { type IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";

import { shorten } from "./readable.js";

export interface Call {
  /** Who calls, for the transcript and for error messages. */
  readonly caller: string;
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Text goes as it is, a stream as it comes, URLSearchParams as a form, anything else as JSON. */
  readonly body?: unknown;
}

/** Watches calls, as the transcript does. Calls nest: while one is under way, another program may make its own. */
export interface CallObserver {
  called(call: Call): void;
  answered(call: Call, reply: Reply | null): void;
}

export class Reply {
  readonly call: Call;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;

  constructor(call: Call, status: number, headers: IncomingHttpHeaders, text: string) {
    this.call = call;
    this.status = status;
    this.headers = headers;
    this.text = text;
  }

  /** Parsed if it is JSON, else the text. */
  get body(): unknown {
    const isJson = /^application\/([\w.-]+\+)?json\b/.test(this.headers["content-type"] ?? "");
    return isJson ? (JSON.parse(this.text) as unknown) : this.text;
  }

  /** Itself, or an error that says what was answered instead. */
  expect(...statuses: readonly number[]): this {
    if (statuses.includes(this.status)) return this;
    const { caller, method, url } = this.call;
    throw new Error(
      shorten(
        `${caller}: ${method} ${url} answered ${this.status} instead of ${statuses.join(" or ")}: ${this.text.slice(0, 800)}`,
      ),
    );
  }
}

/**
 * Sends exactly the headers it is told to, also those that `fetch` keeps for itself (Host, Cookie, Sec-Fetch-*);
 * never follows a redirect, and leaves no connection open behind it.
 */
export class HttpClient {
  observer: CallObserver | null = null;

  async send(call: Call): Promise<Reply> {
    this.observer?.called(call);
    let reply: Reply | null = null;
    try {
      reply = await exchange(call);
      return reply;
    } finally {
      this.observer?.answered(call, reply);
    }
  }
}

async function exchange(call: Call): Promise<Reply> {
  const { type, text } = encodeBody(call.body);
  const given = Object.entries(call.headers ?? {}).filter(([, value]) => value !== undefined);
  const headers = {
    ...(type && { "content-type": type }),
    ...(text !== null && { "content-length": Buffer.byteLength(text) }),
    ...Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value])),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const { caller, method, url } = call;
      const reason = error.code ?? error.message;
      reject(new Error(shorten(`${caller}: ${method} ${url} got no answer (${reason}).`), { cause: error }));
    };
    const request = http.request(call.url, { method: call.method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        // A body that is still on its way isn't wanted any more.
        if (!request.writableEnded) request.destroy();
        resolve(
          new Reply(call, response.statusCode ?? 0, response.headers, Buffer.concat(chunks).toString()),
        );
      });
    });
    request.on("error", fail);
    if (call.body instanceof Readable) call.body.pipe(request);
    else request.end(text ?? undefined);
  });
}

function encodeBody(body: unknown): { type: string | null; text: string | null } {
  if (body === undefined || body instanceof Readable) return { type: null, text: null };
  if (typeof body === "string") return { type: null, text: body };
  if (body instanceof URLSearchParams) {
    return { type: "application/x-www-form-urlencoded", text: body.toString() };
  }
  return { type: "application/json", text: JSON.stringify(body) };
}
