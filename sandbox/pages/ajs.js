// What Atlassian's bridge expects of every page of a product, before it is loaded.
(() => {
  const AUTO_CLOSE_MS = 8_000;

  /** `body` is HTML, which the bridge has made of text. */
  function showFlag({ type = "info", title = "", body = "", close = "manual" }) {
    const flag = document.createElement("div");
    flag.className = `flag ${type}`;
    const heading = document.createElement("strong");
    heading.textContent = title;
    const text = document.createElement("p");
    text.textContent = new DOMParser().parseFromString(body, "text/html").body.textContent;
    const actions = document.createElement("p");
    actions.className = "ac-flag-actions";
    flag.append(heading, text, actions);
    flag.close = () => {
      flag.dispatchEvent(new Event("aui-flag-close", { bubbles: true }));
      flag.remove();
    };
    if (close === "manual") flag.append(createCloseButton(flag));
    else setTimeout(flag.close, AUTO_CLOSE_MS);
    getFlags().append(flag);
    return flag;
  }

  function createCloseButton(flag) {
    const button = document.createElement("button");
    button.textContent = "Close";
    button.addEventListener("click", () => flag.close());
    return button;
  }

  function getFlags() {
    const existing = document.querySelector(".flags");
    if (existing) return existing;
    const flags = document.createElement("div");
    flags.className = "flags";
    flags.setAttribute("role", "status");
    document.body.append(flags);
    return flags;
  }

  function escapeHtml(text) {
    const element = document.createElement("div");
    element.textContent = text ?? "";
    return element.innerHTML;
  }

  // The products' own instance of Atlassian's feature gates, of the bridge's version: here all are off, and nobody is asked.
  window.__FEATUREGATES_JS__ = {
    getPackageVersion: () => "4.23.4",
    initializeCompleted: () => true,
    checkGate: () => false,
  };
  window.require = () => ({ emitGasV3: () => undefined });
  // The bridge's flags still ask for a function that jQuery 4 no longer has.
  window.jQuery.type ??= (value) => (value === null ? "null" : typeof value);
  window.AJS = { $: window.jQuery, escapeHtml, flag: showFlag };
})();
