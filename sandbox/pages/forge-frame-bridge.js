// Stands where Forge puts its own script: before the page's. It hands the page's calls to the product's page around it.
/** @import { BridgeAnswer } from "./host-window.js" */
(() => {
  /** @type {Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>} */
  const pending = new Map();
  let lastId = 0;
  // Which product shows the page, nobody tells its frame; nothing secret is said to it.
  const ANYBODY = "*";

  /**
   * @param {string} command
   * @param {unknown} data
   */
  function callBridge(command, data) {
    return new Promise((resolve, reject) => {
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      parent.postMessage({ type: "forge-call", id: lastId, command, data }, ANYBODY);
    });
  }

  /** @param {MessageEvent<BridgeAnswer>} event */
  function receive({ source, data }) {
    if (source !== parent) return;
    if (data.type === "forge-theme") wear(data);
    else settle(data);
  }

  /** @param {BridgeAnswer & { type: "forge-answer" }} answer */
  function settle({ id, value, error }) {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  }

  /** @param {{ mode: string, theme: string, css: string }} theme */
  function wear({ mode, theme, css }) {
    // As a sheet of its own: the policy of the frame lets no style in by any other way.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
    document.documentElement.dataset["theme"] = theme;
    document.documentElement.dataset["colorMode"] = mode;
  }

  function tellHeight() {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    parent.postMessage({ type: "forge-height", height }, ANYBODY);
  }

  Object.assign(window, { __bridge: { callBridge } });
  addEventListener("message", receive);
  new ResizeObserver(tellHeight).observe(document.documentElement);
})();
