/**
 * `one, two and three`.
 *
 * @param {readonly string[]} words
 */
export function joinWords(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
