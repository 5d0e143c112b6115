const MAX_CHARACTERS = 200;

/**
 * People choose their names themselves: nothing in one may hide, turn around or cover the text beside it. Null when
 * nothing to read is left.
 *
 * @param {string} name
 */
export function tidyName(name) {
  const tidy = name
    .replace(/\s+/gu, " ")
    // Controls, marks of direction, halves of surrogate pairs, and what has no shape of its own, such as fillers.
    .replace(/[\p{C}\p{Default_Ignorable_Code_Point}]/gu, "")
    .normalize("NFC")
    .replace(/(?<=\p{M}{2})\p{M}+/gu, "")
    .replace(/(?<=^|\s)\p{M}+/gu, "")
    .trim();
  if (!/[\p{L}\p{N}]/u.test(tidy)) return null;
  return Array.from(tidy).slice(0, MAX_CHARACTERS).join("").trim();
}
