/** @import { ServiceDraft } from "../types.js" */
/** @import { Versions } from "./settings-merge.js" */

/**
 * @typedef {object} Slot One service in the three documents; null where it isn't there.
 * @property {string} key
 * @property {ServiceDraft | null} base
 * @property {ServiceDraft | null} mine
 * @property {ServiceDraft | null} theirs
 */

/**
 * The same service has the same id, or else, added by both of us, the same AUD tag. Theirs come first, in their order.
 *
 * @param {Versions} versions
 * @returns {Slot[]}
 */
export function alignServices({ base, mine, theirs }) {
  /** @type {Set<ServiceDraft>} */
  const paired = new Set();
  const slots = theirs.services.map((service) => {
    const counterpart =
      findById(mine.services, service.id) ??
      mine.services.find(
        ({ id, audience }) => audience === service.audience && !findById(theirs.services, id),
      ) ??
      null;
    if (counterpart) paired.add(counterpart);
    const before = findById(base.services, service.id) ?? findById(base.services, counterpart?.id);
    return { key: service.id, base: before, mine: counterpart, theirs: service };
  });
  const onlyMine = mine.services
    .filter((service) => !paired.has(service))
    .map((service) => ({
      key: service.id ?? `new ${service.audience}`,
      base: findById(base.services, service.id),
      mine: service,
      theirs: null,
    }));
  return [...slots, ...onlyMine];
}

/**
 * @param {readonly ServiceDraft[]} services
 * @param {string | undefined} id
 */
function findById(services, id) {
  return id === undefined ? null : (services.find((service) => service.id === id) ?? null);
}
