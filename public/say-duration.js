/** @type {readonly (readonly [seconds: number, name: string])[]} */
const UNITS = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/**
 * In the largest unit that it is a multiple of; a single day is 24 hours.
 *
 * @param {number} seconds Whole ones.
 */
export function sayDuration(seconds) {
  if (seconds === 86_400) return "24 hours";
  const [size, name] = UNITS.find(([each]) => seconds % each === 0) ?? [1, "second"];
  const count = seconds / size;
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
