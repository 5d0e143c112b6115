/** @import { SettingsDraft } from "../types.js" */

/**
 * As the app stores what people paste, so that only real changes count as such. What the app would refuse never gets
 * as far as a conflict: that is checked first.
 *
 * @param {SettingsDraft} document
 * @returns {SettingsDraft}
 */
export function tidySettings(document) {
  return {
    ...document,
    teamDomain:
      document.teamDomain
        ?.trim()
        .toLowerCase()
        .replace(/^https:\/\//, "")
        .replace(/[:/?#].*$/s, "") ?? null,
    services: document.services.map((service) => ({
      ...service,
      label: service.label.trim(),
      audience: service.audience.trim().toLowerCase(),
      limits: service.limits && {
        ...service.limits,
        ipAddresses: service.limits.ipAddresses.map((address) => address.trim().toLowerCase()),
      },
    })),
    allowedEmailDomains: document.allowedEmailDomains.map((domain) =>
      domain.trim().toLowerCase().replace(/^@/, ""),
    ),
  };
}
