/** @import { Me } from "../types.js" */

/** What the frame may take to become as high as its content. */
const SETTLING_MS = 1_500;

/**
 * Where a refused call's `consentUrl` or `linkUrl` leads to. It only shows: anybody may have made that address up.
 *
 * @typedef {object} Arrival
 * @property {"service" | "link"} kind
 * @property {string} id
 * @property {boolean} isThere Whether there is such a thing (any more).
 */

/**
 * @param {URLSearchParams} query
 * @param {Pick<Me, "services" | "links">} me
 * @returns {Arrival | null}
 */
export function findArrival(query, { services, links }) {
  const serviceId = query.get("service");
  if (serviceId)
    return {
      kind: "service",
      id: serviceId,
      isThere: services.some((service) => service.serviceId === serviceId),
    };
  const linkId = query.get("link");
  if (linkId) return { kind: "link", id: linkId, isThere: links.some(({ id }) => id === linkId) };
  return null;
}

/**
 * Brings whoever came by such an address to what it is about.
 *
 * @param {HTMLElement} root
 */
export function showArrival(root) {
  /** @type {HTMLElement | null} */
  const place = root.querySelector("[data-arrival]");
  if (!place) return;
  place.focus();
  // The product scrolls, not this frame: once it has made the frame as high as its content.
  const show = () => place.scrollIntoView({ block: "start" });
  show();
  addEventListener("resize", show);
  const stop = () => removeEventListener("resize", show);
  setTimeout(stop, SETTLING_MS);
  for (const event of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    addEventListener(event, stop, { once: true, passive: true });
  }
}
