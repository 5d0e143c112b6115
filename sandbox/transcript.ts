import type { IncomingHttpHeaders } from "node:http";
import { styleText } from "node:util";

import type { Call, CallObserver, Reply } from "./http-client.js";
import { findToken, readableBody, readableClaims, shorten, wrap } from "./readable.js";

type Style = Parameters<typeof styleText>[0];

interface Options {
  readonly write: (text: string) => void;
  readonly hasColours: boolean;
  /** In columns. */
  readonly width: number;
}

const MARGIN = "    ";
const REQUEST_HEADERS = [
  "authorization",
  "x-forge-oauth-system",
  "x-forge-oauth-user",
  "cookie",
  "origin",
  "sec-fetch-site",
  "cf-access-client-id",
  "accept",
];
const REPLY_HEADERS = ["location", "set-cookie", "retry-after"];

/** Tells what happens on a terminal: numbered steps, and every call with its answer, nested as the calls are. */
export class Transcript implements CallObserver {
  readonly #write: (text: string) => void;
  readonly #hasColours: boolean;
  readonly #width: number;
  readonly #introduced = new Set<string>();
  #stepCount = 0;
  #depth = 0;
  #isMuted = false;

  constructor({ write, hasColours, width }: Options) {
    this.#write = write;
    this.#hasColours = hasColours;
    this.#width = width;
  }

  get stepCount(): number {
    return this.#stepCount;
  }

  step(title: string, why: string): void {
    this.#stepCount += 1;
    const number = String(this.#stepCount).padStart(2);
    this.#write(`\n${this.#style(["bold", "cyan"], `${number}  ${title}`)}\n`);
    this.#paragraph(why);
  }

  say(text: string): void {
    this.#write("\n");
    this.#paragraph(text);
  }

  /** Text as it is, for instance to be copied. */
  print(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Tells again what it has told already. */
  forget(): void {
    this.#introduced.clear();
  }

  /** Does something that isn't worth telling. */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.#isMuted = true;
    try {
      return await work();
    } finally {
      this.#isMuted = false;
    }
  }

  called({ caller, method, url, headers = {}, body }: Call): void {
    this.#line("");
    this.#line(caller, "dim");
    this.#line(`${method} ${shorten(url)}`, "bold");
    this.#headers(REQUEST_HEADERS, headers);
    if (body !== undefined) this.#body(body);
    this.#depth += 1;
  }

  /** Something that the app itself asked during a call; what people do in their browsers isn't told. */
  heard(who: string, line: string): void {
    if (this.#depth === 0) return;
    this.#line(`The app asks ${who}: ${shorten(line)}`, "dim");
  }

  answered(_call: Call, reply: Reply | null): void {
    this.#depth -= 1;
    if (!reply) {
      this.#line("no answer", "red");
      return;
    }
    const { status, headers, body } = reply;
    this.#line(`→ ${status}`, status < 300 ? "green" : status < 400 ? "cyan" : "yellow");
    this.#headers(REPLY_HEADERS, headers);
    if (status < 300 || status >= 400) this.#body(body, headers["content-type"]);
  }

  #headers(names: readonly string[], headers: Call["headers"] | IncomingHttpHeaders = {}): void {
    for (const name of names) {
      for (const text of [headers[name] ?? []].flat()) {
        if (name === "accept" && text === "text/html") continue;
        this.#wrapped("  ", `${name}: ${shorten(text)}`, "dim");
        const token = findToken(text);
        const claims = token && this.#isNew(token) ? readableClaims(token) : "";
        if (claims) this.#wrapped("    ", claims, "dim");
      }
    }
  }

  #body(body: unknown, contentType = ""): void {
    const lines = readableBody(body, contentType, this.#room - 2);
    const isLong = lines.length > 8;
    const shown = !isLong || this.#isNew(lines.join("\n")) ? lines : ["(the same as above)"];
    for (const line of shown) this.#line(`  ${line}`);
  }

  /** Tokens and long bodies are told about once. */
  #isNew(text: string): boolean {
    // What nobody was told isn't known.
    if (this.#isMuted) return true;
    const isNew = !this.#introduced.has(text);
    this.#introduced.add(text);
    return isNew;
  }

  #paragraph(text: string): void {
    for (const line of wrap(text, this.#width - MARGIN.length)) this.#write(`${MARGIN}${line}\n`);
  }

  /** Columns for a line of a call. */
  get #room(): number {
    return this.#width - MARGIN.length - 2 * this.#depth;
  }

  #wrapped(indent: string, text: string, style: Style): void {
    const [first = "", ...others] = wrap(text, this.#room - indent.length - 2);
    this.#line(`${indent}${first}`, style);
    for (const line of others) this.#line(`${indent}  ${line}`, style);
  }

  #line(text: string, style?: Style): void {
    if (this.#isMuted) return;
    const styled = style ? this.#style(style, text) : text;
    this.#write(`${`${MARGIN}${"│ ".repeat(this.#depth)}${styled}`.trimEnd()}\n`);
  }

  #style(style: Style, text: string): string {
    return this.#hasColours ? styleText(style, text) : text;
  }
}
