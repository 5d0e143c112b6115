/** @import { RequestPattern } from "../request-presets.js" */

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

/**
 * As people type them: `GET, PUT /rest/api/3/project/*`, one per line. What isn't of that form goes along as it is, for
 * the app to say what is wrong with it.
 *
 * @param {string} text
 * @returns {RequestPattern[]}
 */
export function parseRequestLines(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [, methods = "", path = line] = /^([a-z]+(?:[\s,]+[a-z]+)*)[\s,]+(\S.*)$/i.exec(line) ?? [];
      return {
        methods: methods
          .toUpperCase()
          .split(/[\s,]+/)
          .filter(Boolean),
        path,
      };
    });
}

/** @param {readonly RequestPattern[]} requests */
export function formatRequestLines(requests) {
  return requests.map(formatRequest).join("\n");
}

/** @param {RequestPattern} request */
export function formatRequest({ methods, path }) {
  return [methods.join(", "), path].filter(Boolean).join(" ");
}
