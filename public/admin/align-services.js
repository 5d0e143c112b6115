import { isLinkService } from "./settings-draft.js";

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
 * The same service has the same id; or else, as there is only one, it is the one to link through; or, added by both of
 * us, it has the same AUD tag. Theirs come first, in their order.
 *
 * @param {Versions} versions
 * @returns {Slot[]}
 */
export function alignServices({ base, mine, theirs }) {
  /** @type {Map<ServiceDraft, ServiceDraft>} */
  const counterparts = new Map();
  /** @param {(their: ServiceDraft, my: ServiceDraft) => boolean} isSameService */
  const pair = (isSameService) => {
    const isFree = (/** @type {ServiceDraft} */ my) => ![...counterparts.values()].includes(my);
    for (const their of theirs.services) {
      const my = mine.services.find((service) => isFree(service) && isSameService(their, service));
      if (my && !counterparts.has(their)) counterparts.set(their, my);
    }
  };
  pair((their, my) => their.id === my.id);
  pair((their, my) => isLinkService(their) && isLinkService(my));
  pair((their, my) => their.audience === my.audience);

  const slots = theirs.services.map((service) => {
    const counterpart = counterparts.get(service) ?? null;
    const before = findById(base.services, service.id) ?? findById(base.services, counterpart?.id);
    return { key: service.id, base: before, mine: counterpart, theirs: service };
  });
  const paired = new Set(counterparts.values());
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
