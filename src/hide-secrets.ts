/*
 * The second line of defence of logs and error messages. The first is that nothing secret is put there; but what other
 * people's code complains of may quote what it failed on.
 */

// Each is as long as its kind needs, so that words, paths and ids of rows, keys and requests stay readable.
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // `{"` in base64url: the header of a JWT, and all that hangs on it, whole or not.
  [/eyJ[\w-]{4,}(?:\.[\w-]*)*/g, "[token]"],
  [/\b(JWT|Bearer|Basic) +(?=[^\s"]*[A-Z\d])[\w.~+/=-]{8,}/g, "$1 [hidden]"],
  [/[^\s"'`<>()[\],:;\\/=&?|]{1,64}(?:@|%40)[a-z\d-]+(?:\.[a-z\d-]+)+/gi, "[e-mail]"],
  // A service's key, also one that happens to have no digit.
  [/\bsk_[\w-]{16,}/g, "[hidden]"],
  // 32 bytes in base64: an encryption key.
  [/(?<![A-Za-z\d+/])[A-Za-z\d+/]{43}=/g, "[hidden]"],
  // 128 random bits or more in base64url: ids of attempts, codes, cookies, shared secrets, signatures.
  [/(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{22,}(?![\w-])/g, "[hidden]"],
];

export function hideSecrets(text: string): string {
  return SECRETS.reduce((shown, [pattern, replacement]) => shown.replace(pattern, replacement), text);
}

/** The same for all texts in a list or an object. What is nested deeper than anything that is logged is left out. */
export function hideSecretsWithin(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return hideSecrets(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (depth > 3) return "…";
  if (Array.isArray(value)) return value.map((item) => hideSecretsWithin(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, hideSecretsWithin(item, depth + 1)]),
  );
}
