// A product's page around the app's: it gives the app what Jira and Confluence give it, and switches light and dark.
/** @import { AppPlaceElement, HostWindow, RequestOptions } from "./host-window.js" */
(() => {
  const { connectHost } = /** @type {HostWindow} */ (window);
  const RETURNS_PROMISE = { returnsPromise: /** @type {const} */ (true) };

  /** @param {AppPlaceElement} place */
  function openApp(place) {
    const { product, person, contextPath, extension } = place.dataset;
    const headers = { "x-sandbox-person": person };

    async function getToken() {
      const response = await fetch(`/sandbox/context-jwt/${product}`, { headers });
      if (!response.ok) throw new Error(await response.text());
      /** @type {unknown} */
      const answer = await response.json();
      return /** @type {{ token: string }} */ (answer).token;
    }

    /**
     * Rejects as the products do, with the status and what they said.
     * @param {string | (RequestOptions & { url: string })} first
     * @param {RequestOptions} [second]
     * @param {unknown} [_callback]
     */
    // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the bridge puts its callback behind as many arguments as there are parameters
    async function request(first, second, _callback) {
      const { url, ...options } = typeof first === "string" ? { ...second, url: first } : first;
      const target = new URL(`${contextPath}${url}`, location.origin);
      if (!url.startsWith("/") || target.origin !== location.origin)
        throw new Error("Not a path of the product.");
      const { type = "GET", contentType, data } = options;
      const response = await fetch(target, {
        method: type,
        headers: { ...options.headers, ...headers, ...(contentType && { "content-type": contentType }) },
        ...(data !== undefined && { body: data }),
      });
      const body = await response.text();
      const xhr = { status: response.status, statusText: response.statusText, responseText: body };
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- of an Error, the bridge would send the message alone
      if (!response.ok) throw { err: body, xhr };
      return { body, xhr };
    }

    connectHost.defineModule("context", { getToken: Object.assign(getToken, RETURNS_PROMISE) });
    connectHost.defineModule({ request: Object.assign(request, RETURNS_PROMISE) });
    // By this the bridge knows which product it is in.
    connectHost.defineModule(product, {});

    const container = connectHost.create(JSON.parse(extension));
    container.find("iframe").attr("title", place.dataset.title);
    container.on("resized", () => container.addClass("resized"));
    container.appendTo(place);
  }

  /**
   * @param {Event} event
   * @param {HTMLAnchorElement} chosen
   */
  function switchTheme(event, chosen) {
    event.preventDefault();
    document.documentElement.setAttribute("data-color-mode", chosen.dataset["theme"] ?? "light");
    for (const link of themeLinks) link.removeAttribute("aria-current");
    chosen.setAttribute("aria-current", "true");
    // Whoever comes next gets the same: the answer's cookie keeps it.
    void fetch(chosen.href);
  }

  /** @type {NodeListOf<HTMLAnchorElement>} */
  const themeLinks = document.querySelectorAll("a[data-theme]");
  for (const link of themeLinks) link.addEventListener("click", (event) => switchTheme(event, link));
  /** What the address has chosen is kept in the cookie now; a reload shows what was chosen since. */
  function forgetChoices() {
    const query = new URLSearchParams(location.search);
    // What is for the app stays: its page asks for it.
    for (const name of [...query.keys()]) if (!name.startsWith("ac.")) query.delete(name);
    history.replaceState(null, "", `${location.pathname}${query.size > 0 ? `?${query.toString()}` : ""}`);
  }

  if (location.search) forgetChoices();

  /** @type {AppPlaceElement | null} */
  const place = document.querySelector("#app");
  if (place) openApp(place);
})();
