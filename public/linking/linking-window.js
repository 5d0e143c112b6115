const WIDTH = 560;
const HEIGHT = 760;

/**
 * Opened in the click itself, while browsers still allow it; where it leads is known later.
 *
 * @returns {WindowProxy | null} Null when it was blocked.
 */
export function openBlankWindow() {
  const opened = openWindow("");
  // Nobody looks at an empty window for long without wondering.
  if (opened) opened.document.body.textContent = "Opening …";
  return opened;
}

/** @param {string} url */
export function openWindow(url) {
  const left = Math.max(0, window.screenX + (window.outerWidth - WIDTH) / 2);
  const top = Math.max(0, window.screenY + (window.outerHeight - HEIGHT) / 2);
  return window.open(url, "_blank", `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
}
