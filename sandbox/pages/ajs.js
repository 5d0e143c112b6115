// What Atlassian's bridge expects of every page of a product, before it is loaded.
/** @import { FlagOptions, HostWindow } from "./host-window.js" */
(() => {
  const { jQuery } = /** @type {HostWindow} */ (window);
  const AUTO_CLOSE_MS = 8_000;

  /** @param {FlagOptions} options */
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
    const closeFlag = () => {
      flag.dispatchEvent(new Event("aui-flag-close", { bubbles: true }));
      flag.remove();
    };
    if (close === "manual") flag.append(createCloseButton(closeFlag));
    else setTimeout(closeFlag, AUTO_CLOSE_MS);
    getFlags().append(flag);
    // The bridge closes a flag by this method of its element.
    return Object.assign(flag, { close: closeFlag });
  }

  /** @param {() => void} closeFlag */
  function createCloseButton(closeFlag) {
    const button = document.createElement("button");
    button.textContent = "Close";
    button.addEventListener("click", closeFlag);
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

  /** @param {string | null | undefined} text */
  function escapeHtml(text) {
    const element = document.createElement("div");
    element.textContent = text ?? "";
    return element.innerHTML;
  }

  // The bridge's flags still ask for a function that jQuery 4 no longer has.
  jQuery.type ??= (value) => (value === null ? "null" : typeof value);
  Object.assign(window, {
    AJS: { $: jQuery, escapeHtml, flag: showFlag },
    // The products' own instance of Atlassian's feature gates, of the bridge's version: here all are off, and nobody is asked.
    __FEATUREGATES_JS__: {
      getPackageVersion: () => "4.23.4",
      initializeCompleted: () => true,
      checkGate: () => false,
    },
    require: () => ({ emitGasV3: () => undefined }),
  });
})();
