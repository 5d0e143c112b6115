/**
 * Of JSON values; the order of words in a list (purposes, methods) and of an object's members says nothing.
 *
 * @param {unknown} one
 * @param {unknown} other
 */
export function isSame(one, other) {
  return toComparable(one) === toComparable(other);
}

/** @param {unknown} value */
function toComparable(value) {
  return JSON.stringify(value, (_name, /** @type {unknown} */ member) => {
    if (Array.isArray(member))
      return member.every(isString) ? member.toSorted() : /** @type {unknown} */ (member);
    if (typeof member !== "object" || member === null) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isString(value) {
  return typeof value === "string";
}
