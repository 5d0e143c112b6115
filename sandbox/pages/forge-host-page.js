// A product's page around one of the app's, as Forge has it: it makes the frame, and does what the frame asks for.
/** @import { BridgeCall, ForgeContext, ForgePlaceElement, ProductRequest, RelayedCall } from "./host-window.js" */
(() => {
  const THEMES = ["light", "dark"];

  /** @param {ForgePlaceElement} place */
  function openApp(place) {
    const { src, sandbox, title, person, module, context, remote } = place.dataset;
    const frame = document.createElement("iframe");
    const { origin } = new URL(src);
    const headers = { "x-sandbox-person": person };

    /** @type {Readonly<Record<string, (data: never) => unknown>>} */
    const COMMANDS = { getContext, invoke, navigate, enableTheming, fetchProduct };

    function getContext() {
      /** @type {unknown} */
      const parsed = JSON.parse(context);
      const said = /** @type {ForgeContext} */ (parsed);
      return { ...said, extension: { ...said.extension, location: location.href } };
    }

    /** @param {unknown} data */
    async function invoke(data) {
      const response = await fetch(`/sandbox/invoke/${module}`, {
        method: "POST",
        headers,
        body: JSON.stringify(data),
      });
      /** @type {unknown} */
      const answered = await response.json();
      const { value, error } = /** @type {RelayedCall} */ (answered);
      if (error !== undefined) throw new Error(error);
      return value;
    }

    /** @param {{ url: string, type: "same-tab" | "new-tab" }} data */
    function navigate({ url, type }) {
      const target = new URL(url, location.href);
      // The manifest names the app's own address; before others, people are asked.
      if (
        target.origin !== remote &&
        target.origin !== location.origin &&
        !confirm(`Leave for ${target.href}?`)
      )
        throw new Error("Navigation was cancelled.");
      if (type === "same-tab") location.assign(target);
      else window.open(target, "_blank", "noopener");
    }

    async function enableTheming() {
      const files = THEMES.map((theme) => `/connect/themes/atlaskit-tokens_${theme}.css`);
      const sheets = await Promise.all(files.map(async (file) => (await fetch(file)).text()));
      const root = document.documentElement;
      const tell = () => {
        const { colorMode: mode, theme } = root.dataset;
        frame.contentWindow?.postMessage(
          { type: "forge-theme", mode, theme, css: sheets.join("\n") },
          origin,
        );
      };
      new MutationObserver(tell).observe(root, { attributeFilter: ["data-color-mode"] });
      tell();
    }

    /** @param {ProductRequest} data */
    async function fetchProduct({ restPath, fetchRequestInit: { headers: own, ...init } }) {
      const target = new URL(restPath, location.origin);
      if (!restPath.startsWith("/") || target.origin !== location.origin)
        throw new Error("Not a path of the product.");
      const response = await fetch(target, { ...init, headers: { ...Object.fromEntries(own), ...headers } });
      return {
        body: await response.text(),
        headers: Object.fromEntries(response.headers),
        status: response.status,
        statusText: response.statusText,
        isAttachment: false,
      };
    }

    /** @param {BridgeCall} call */
    async function answer({ id, command, data }) {
      try {
        const run = COMMANDS[command];
        if (!run) throw new Error(`The sandbox's bridge doesn't know ${command}.`);
        return { type: "forge-answer", id, value: await run(/** @type {never} */ (data)) };
      } catch (error) {
        return { type: "forge-answer", id, error: error instanceof Error ? error.message : String(error) };
      }
    }

    /** @param {MessageEvent<BridgeCall | { type: "forge-height", height: number }>} event */
    function receive({ source, origin: sender, data }) {
      if (source !== frame.contentWindow || sender !== origin) return;
      if (data.type === "forge-height") frame.style.height = `${data.height}px`;
      else void answer(data).then((said) => frame.contentWindow?.postMessage(said, origin));
    }

    addEventListener("message", receive);

    frame.title = title;
    frame.setAttribute("sandbox", sandbox);
    frame.src = src;
    place.append(frame);
  }

  /** @type {ForgePlaceElement | null} */
  const place = document.querySelector("#forge-app");
  if (place) openApp(place);
})();
