const THEME_TIMEOUT_MS = 250;

/** Products don't say when their colours are there, and a product without themes says nothing at all. */
export function waitForTheme() {
  return new Promise((resolve) => {
    const observer = new MutationObserver(finish);
    const timer = setTimeout(finish, THEME_TIMEOUT_MS);
    observer.observe(document.documentElement, { attributeFilter: ["data-color-mode"] });

    function finish() {
      observer.disconnect();
      clearTimeout(timer);
      resolve(undefined);
    }
  });
}
