// A product's page around the app's: it gives the app what Jira and Confluence give it, and switches light and dark.
(() => {
  const { connectHost } = window;

  function openApp(place) {
    const { product, person, contextPath, extension } = place.dataset;
    const headers = { "x-sandbox-person": person };

    async function getToken(_callback) {
      const response = await fetch(`/sandbox/context-jwt/${product}`, { headers });
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()).token;
    }

    /** Rejects as the products do, with the status and what they said. */
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
      if (!response.ok) throw { err: body, xhr };
      return { body, xhr };
    }

    for (const method of [getToken, request]) method.returnsPromise = true;
    connectHost.defineModule("context", { getToken });
    connectHost.defineModule({ request });
    // By this the bridge knows which product it is in.
    connectHost.defineModule(product, {});

    const container = connectHost.create(JSON.parse(extension));
    container.find("iframe").attr("title", place.dataset.title);
    container.on("resized", () => container.addClass("resized"));
    container.appendTo(place);
  }

  function switchTheme(event) {
    event.preventDefault();
    const chosen = event.currentTarget;
    document.documentElement.dataset.colorMode = chosen.dataset.theme;
    for (const link of themeLinks) link.removeAttribute("aria-current");
    chosen.setAttribute("aria-current", "true");
    // Whoever comes next gets the same: the answer's cookie keeps it.
    void fetch(chosen.href);
  }

  const themeLinks = document.querySelectorAll("a[data-theme]");
  for (const link of themeLinks) link.addEventListener("click", switchTheme);
  // What the address has chosen is kept in the cookie now; a reload shows what was chosen since.
  if (location.search) history.replaceState(null, "", location.pathname);

  const place = document.querySelector("#app");
  if (place) openApp(place);
})();
