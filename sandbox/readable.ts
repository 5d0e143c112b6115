import { visibleText } from "./html.js";
import type { Claims } from "./jwt.js";

const TOKEN = /eyJ[\w-]+\.[\w-]*(?:\.[\w-]*)?/;
const SHOWN_CLAIMS = ["iss", "aud", "sub", "common_name", "email", "qsh", "principal"];
const MAX_LINES = 24;
const MAX_STRING = 100;

/** The first token in a text. */
export function findToken(text: string): string | null {
  return TOKEN.exec(text)?.[0] ?? null;
}

/** What a token says about itself, unverified. */
export function readableClaims(token: string): string {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  const claims = JSON.parse(payload) as Claims;
  const shown = SHOWN_CLAIMS.filter((name) => name in claims);
  return shown.map((name) => `${name}=${shorten([claims[name]].flat().join(","))}`).join("  ");
}

/** Tokens are worth as much as passwords, and long hex such as AUD tags is tiring: only their first characters. */
export function shorten(text: string): string {
  return text
    .replace(new RegExp(TOKEN, "g"), (token) => `${token.slice(0, 8)}…`)
    .replace(/\b[\da-f]{33,}\b/g, (hex) => `${hex.slice(0, 8)}…`);
}

interface AuditEvent {
  readonly at: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly accountId: string | null };
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly reference: string | null;
}

/** The lines of a body; `contentType` tells what text is. */
export function readableBody(body: unknown, contentType: string, width: number): string[] {
  if (body instanceof URLSearchParams) return body.size > 0 ? [shorten(body.toString())] : [];
  const events = findAuditEvents(body);
  if (events) return events.map(readableEvent);
  if (typeof body !== "string") return cutAfter(MAX_LINES, readableJson(body).split("\n"));
  const text = contentType.startsWith("text/html") ? visibleText(body) : body.trim();
  return text === "" ? [] : text.split("\n").flatMap((line) => wrap(shorten(line), width));
}

function readableJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (key, part: unknown) => {
      if (typeof part !== "string") return part;
      // `code` is also the name of a problem, which is lower case with underscores.
      const isSecret = key === "sharedSecret" || (key === "code" && !/^[a-z_]+$/.test(part));
      if (isSecret) return `${part.slice(0, 4)}…`;
      return part.length > MAX_STRING ? `${shorten(part).slice(0, MAX_STRING)}…` : shorten(part);
    },
    2,
  );
  // Short lists in one line.
  return text.replace(
    /\[\n\s+([^[\]{}]{1,60}?)\n\s+\]/g,
    (_, items: string) => `[${items.replace(/\n\s+/g, " ")}]`,
  );
}

function findAuditEvents(body: unknown): AuditEvent[] | null {
  const { items = [] } = (body ?? {}) as { items?: AuditEvent[] };
  return items[0]?.action ? items : null;
}

/** When, who, what, to what, and the reference; ids by their first characters, so that it fits a line. */
function readableEvent({ at, action, actor, target, reference }: AuditEvent): string {
  const startOf = (id: string) => id.replace(/-[\da-f-]{27}$/, "…");
  const columns = [
    at.replace("T", " ").replace(/\.\d+/, ""),
    startOf(actor.accountId ?? actor.type).padEnd(16),
    action.padEnd(18),
    (target ? `${target.type} ${startOf(target.id)}` : "").padEnd(18),
    reference ?? "",
  ];
  return columns.join("  ").trimEnd();
}

function cutAfter(maxLines: number, lines: readonly string[]): string[] {
  return lines.length > maxLines ? [...lines.slice(0, maxLines - 1), "…"] : [...lines];
}

export function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
