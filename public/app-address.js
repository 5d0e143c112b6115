// These files are served at <app>/public/<version>/.
const APP_URL = new URL("../../", import.meta.url);

/** What Access has to protect, as Cloudflare's dashboard asks for it. */
export const PROTECTED_PATH = {
  domain: APP_URL.host,
  path: `${APP_URL.pathname.slice(1)}access/*`,
  url: `${APP_URL.href}access/*`,
};
