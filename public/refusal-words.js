/** @type {Readonly<Record<string, string>>} */
const REFUSALS = {
  malformed_request: "The call made no sense",
  access_jwt_expired: "The Access session was over",
  service_token: "A machine’s token, where a person’s is needed",
  email_domain_not_allowed: "The person’s e-mail domain isn’t allowed",
  paused: "Paused",
  purpose_not_allowed: "The service isn’t trusted for this",
  service_key_required: "The key was missing or wrong",
  request_not_allowed: "A request that isn’t allowed",
  ip_not_allowed: "From an address that isn’t allowed",
  token_too_old: "The person’s token was too old",
  not_linked: "The person hasn’t linked",
  proof_required: "The person’s link isn’t proved or confirmed",
  consent_required: "The person hasn’t agreed",
  account_inactive: "The Atlassian account isn’t active",
  ambiguous_site: "Linked with different accounts in Jira and Confluence",
  browser_not_allowed: "Sent by a browser",
  scope_not_granted: "Atlassian hasn’t given the app the right",
  installation_expired: "Atlassian no longer knows this installation",
  rate_limited: "Too many calls",
  too_large: "Too large",
  upstream_failed: "Atlassian or Access gave no answer that could be used",
  upstream_timeout: "Atlassian or Access took too long",
  keys_unavailable: "The team’s keys couldn’t be fetched",
  store_unavailable: "The app’s database couldn’t be used",
};

/**
 * Why a call of a service was refused, or failed; a code without words of its own stands for itself.
 *
 * @param {string} code
 */
export function sayRefusal(code) {
  return REFUSALS[code] ?? code;
}
