export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;

// In text that JSON.parse has accepted: every string (with the colon, if it is a member's name) and every bracket.
const STRINGS_AND_BRACKETS = /("[^"\\]*(?:\\.[^"\\]*)*")([\t\n\r ]*:)?|[{}[\]]/g;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads a JSON object that every parser reads alike: UTF-8 without a byte order mark (RFC 8259 §8.1), each member
 * of the object named once (RFC 7519 §4), nested at most 16 deep. Throws a SyntaxError or TypeError for all else.
 */
export function parseStrictJsonObject(bytes: Uint8Array): JsonObject {
  const text = utf8.decode(bytes);
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("not an object");
  }
  requirePlainStructure(text);
  return value as JsonObject;
}

/**
 * For text that JSON.parse has accepted. Throws a SyntaxError when lists and objects are nested deeper than that; tells
 * the name of each member of the outermost object, as it was written, quotes and all.
 */
export function requireDepth(
  text: string,
  maxDepth: number,
  onTopLevelName: (written: string) => void = () => undefined,
): void {
  let depth = 0;
  for (const [token, string, colon] of text.matchAll(STRINGS_AND_BRACKETS)) {
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
    if (depth > maxDepth) throw new SyntaxError("nested too deeply");
    if (depth === 1 && string !== undefined && colon !== undefined) onTopLevelName(string);
  }
}

function requirePlainStructure(text: string): void {
  const names = new Set<unknown>();
  requireDepth(text, MAX_DEPTH, (written) => {
    // Parsed, because "\u0069ss" names the same member as "iss".
    const name: unknown = JSON.parse(written);
    if (names.has(name)) throw new SyntaxError("a member is named twice");
    names.add(name);
  });
}
