const NUMBER_FORMAT = new Intl.NumberFormat("en-GB");

/**
 * @param {number} count
 * @param {string} one
 * @param {string} many
 */
export function sayCount(count, one, many) {
  return `${NUMBER_FORMAT.format(count)} ${count === 1 ? one : many}`;
}
