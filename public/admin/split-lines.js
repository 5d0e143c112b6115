/**
 * One thing per line, or between commas.
 *
 * @param {string} text
 */
export function splitLines(text) {
  return text
    .split(/[\n,;]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
