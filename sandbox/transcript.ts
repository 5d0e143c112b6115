import { styleText } from "node:util";

import { visibleText } from "./html.js";
import type { Call, CallObserver, Reply } from "./http-client.js";
import { findClaims, shortenTokens, type Claims } from "./jwt.js";

type Style = Parameters<typeof styleText>[0];

interface Options {
  readonly write: (text: string) => void;
  readonly hasColours: boolean;
}

const WIDTH = 100;
const MARGIN = "    ";
const SHOWN_REQUEST_HEADERS = [
  "authorization",
  "cookie",
  "origin",
  "sec-fetch-site",
  "cf-access-client-id",
  "accept",
];
const SHOWN_REPLY_HEADERS = ["location", "set-cookie", "retry-after"];
const SHOWN_CLAIMS = ["iss", "aud", "sub", "common_name", "email", "qsh"];

/** Tells what happens on a terminal: numbered steps, and every call with its answer, nested as the calls are. */
export class Transcript implements CallObserver {
  readonly #write: (text: string) => void;
  readonly #hasColours: boolean;
  #stepCount = 0;
  #depth = 0;

  constructor({ write, hasColours }: Options) {
    this.#write = write;
    this.#hasColours = hasColours;
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

  called(call: Call): void {
    this.#write("\n");
    this.#line(this.#style("dim", call.caller));
    this.#line(this.#style("bold", `${call.method} ${shorten(call.url)}`));
    for (const name of SHOWN_REQUEST_HEADERS) this.#header(name, call.headers?.[name]);
    if (call.body instanceof URLSearchParams) this.#line(`  ${call.body.toString()}`);
    else if (call.body !== undefined) this.#lines(presentJson(call.body));
    this.#depth += 1;
  }

  /** Something that the app itself asked meanwhile. */
  heard(who: string, line: string): void {
    this.#line(this.#style("dim", `The app asks ${who}: ${shorten(line)}`));
  }

  answered(_call: Call, reply: Reply | null): void {
    this.#depth -= 1;
    if (!reply) {
      this.#line(this.#style("red", "no answer"));
      return;
    }
    const { status, headers } = reply;
    this.#line(this.#style(status < 300 ? "green" : status < 400 ? "cyan" : "yellow", `→ ${status}`));
    for (const name of SHOWN_REPLY_HEADERS) this.#header(name, headers[name]);
    if (status >= 300 && status < 400) return;
    const { body } = reply;
    if (typeof body !== "string") this.#lines(presentJson(body));
    else if (headers["content-type"]?.startsWith("text/html")) this.#lines(presentText(visibleText(body)));
    else this.#lines(body.trim() === "" ? [] : presentText(body.trim()));
  }

  #header(name: string, value: string | readonly string[] | undefined): void {
    const isOrdinary = value === undefined || (name === "accept" && value === "text/html");
    if (isOrdinary) return;
    for (const text of typeof value === "string" ? [value] : value) {
      this.#line(this.#style("dim", `  ${name}: ${shorten(text)}`));
      const claims = findClaims(text);
      if (claims) this.#line(this.#style("dim", `    ${presentClaims(claims)}`));
    }
  }

  #lines(lines: readonly string[]): void {
    for (const line of lines) this.#line(`  ${line}`);
  }

  #line(text: string): void {
    this.#write(`${MARGIN}${"│ ".repeat(this.#depth)}${text}\n`);
  }

  #style(style: Style, text: string): string {
    return this.#hasColours ? styleText(style, text) : text;
  }
}

function presentClaims(claims: Claims): string {
  const shown = SHOWN_CLAIMS.filter((name) => name in claims);
  return shown.map((name) => `${name}=${shorten([claims[name]].flat().join(","))}`).join("  ");
}

function presentJson(value: unknown): string[] {
  const text = JSON.stringify(
    value,
    (key, part: unknown) => {
      if (typeof part !== "string") return part;
      // `code` is also the name of a problem, which is lower case with underscores.
      const isSecret = key === "sharedSecret" || (key === "code" && !/^[a-z_]+$/.test(part));
      return isSecret ? `${part.slice(0, 4)}…` : shorten(part);
    },
    2,
  );
  const lines = text.split("\n");
  return lines.length > 24 ? [...lines.slice(0, 23), "…"] : lines;
}

function presentText(text: string): string[] {
  const lines = text.split("\n").flatMap((line) => wrap(shorten(line), WIDTH - 2 * MARGIN.length));
  return lines.length > 6 ? [...lines.slice(0, 5), "…"] : lines;
}

/** Tokens and long hex, such as AUD tags, to their first characters. */
function shorten(text: string): string {
  return shortenTokens(text).replace(/\b[\da-f]{33,}\b/g, (hex) => `${hex.slice(0, 8)}…`);
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
