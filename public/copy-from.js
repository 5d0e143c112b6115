/**
 * Copies what an input holds. Where the browser refuses, it is selected, to be copied by hand.
 *
 * @param {string} inputId
 * @returns {boolean} whether it was copied
 */
export function copyFrom(inputId) {
  const input = document.getElementById(inputId);
  if (!(input instanceof HTMLInputElement)) return false;
  input.focus();
  input.select();
  // The Clipboard API is closed to frames, unless the page around them opens it; this isn't.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return document.execCommand("copy");
}
