/**
 * Every refusal the app can give. `PROBLEMS` is the one list of codes: statuses, titles and the text of `/problems`
 * come from it. Messages are safe to show to anybody; what isn't goes into `reason` or `cause`, which only the log sees.
 */
export const PROBLEMS = {
  malformed_request: {
    status: 400,
    title: "The request can't be read",
    cause:
      "The body isn't valid JSON, the URL can't be decoded, a cursor is damaged, or the bytes aren't HTTP.",
    fix: "Send what openapi.json describes.",
  },
  ambiguous_credentials: {
    status: 400,
    title: "Two different tokens were sent",
    cause: "The request carries two tokens and doesn't say which of them counts.",
    fix: "Send one token, in one header.",
  },
  connect_jwt_missing: {
    status: 401,
    title: "There is no Connect JWT",
    cause: "The request carries no token signed by Jira or Confluence.",
    fix: "Send Authorization: JWT <token>, with a fresh token from AP.context.getToken().",
  },
  connect_jwt_invalid: {
    status: 401,
    title: "The Connect JWT is not accepted",
    cause:
      "The signature, a claim or the query string hash is wrong, or the app is not installed or not enabled on this site.",
    fix: "Reload the page in Jira or Confluence. If it keeps happening, ask an admin whether the app is installed and enabled.",
  },
  connect_jwt_expired: {
    status: 401,
    title: "The Connect JWT has expired",
    cause: "The token's exp has passed.",
    fix: "Get a fresh token from AP.context.getToken(), or reload the page.",
  },
  forge_jwt_invalid: {
    status: 401,
    title: "The Forge Invocation Token is not accepted",
    cause:
      "The signature or a claim is wrong, it was made for another app, environment or route, or the app is not installed there.",
    fix: "Reload the page in Jira or Confluence. If it keeps happening, ask an admin whether the app is installed.",
  },
  forge_jwt_expired: {
    status: 401,
    title: "The Forge Invocation Token has expired",
    cause: "The token's exp has passed: Forge makes one for each call.",
    fix: "Make the call again.",
  },
  access_jwt_missing: {
    status: 401,
    title: "There is no Access JWT",
    cause:
      "The request carries no Access JWT: it didn't pass through Cloudflare Access, or the header was taken off on the way.",
    fix: "In a browser: put the path behind an Access application whose policy is Allow (Bypass sends no token). From a service: send the token it received as Authorization: Bearer <Access JWT>.",
  },
  access_jwt_malformed: {
    status: 401,
    title: "The Access JWT can't be read",
    cause: "What was sent isn't a signed JWT, or lacks a claim that every Access JWT has.",
    fix: "Send the value of the Cf-Access-Jwt-Assertion header that the service received, unchanged.",
  },
  access_jwt_expired: {
    status: 401,
    title: "The Access JWT has expired",
    cause:
      "The token's exp has passed; or, where an admin wants Access to be asked, Access has ended the session.",
    fix: "Sign in to Access again: reload the page, or run cloudflared access login.",
  },
  access_jwt_untrusted: {
    status: 401,
    title: "The Access JWT is not trusted here",
    cause:
      "The signature, the team, the audience or the site doesn't match what an admin entered. The answer is the same for each, so that nobody can probe for sites.",
    fix: "Compare the team domain and the AUD tag in the app's settings with the Access application the token was made for.",
  },
  metrics_token_invalid: {
    status: 401,
    title: "The metrics token is missing or wrong",
    cause: "The operator set METRICS_TOKEN, and the request doesn't carry it.",
    fix: "Send Authorization: Bearer <METRICS_TOKEN>.",
  },
  not_admin: {
    status: 403,
    title: "Only admins of the product may do this",
    cause: "The product, Jira or Confluence, says that this account doesn't administer it.",
    fix: "Ask one of its admins.",
  },
  service_token: {
    status: 403,
    title: "A service token is not a person",
    cause:
      "The Access JWT belongs to a machine (it names no person), so there is nobody to link or to identify.",
    fix: "Sign in to Access as a person; a service must forward its visitor's token, not its own.",
  },
  email_domain_not_allowed: {
    status: 403,
    title: "This e-mail domain is not allowed",
    cause: "The e-mail address of the Access identity is outside the domains that an admin allowed.",
    fix: "Sign in with a company address, or ask an admin to allow the domain.",
  },
  paused: {
    status: 403,
    title: "The app or this service is paused here",
    cause:
      "An admin paused it; or the app was installed anew or moved to another host name, and the site hasn't confirmed that yet; or it is installed here twice, and the other installation is the one in use.",
    fix: "Try again in a minute, or ask an admin to open the app's page, and to resume it or to take the settings over there.",
  },
  purpose_not_allowed: {
    status: 403,
    title: "This Access application may not do that",
    cause: "The audience is listed in the settings, but without the purpose that this call needs.",
    fix: "Ask an admin to add the purpose to the service.",
  },
  service_key_required: {
    status: 403,
    title: "The service must show its key",
    cause: "An admin made a key for this service, and the request carries none of its keys.",
    fix: "Send the service's key in the header X-Service-Key, or ask an admin for a new one.",
  },
  request_not_allowed: {
    status: 403,
    title: "The service may not make this request",
    cause:
      "None of the service's limits allows this method with this path, or the path or the query can't be passed on exactly as it was sent.",
    fix: "Ask an admin to allow the request for the service, or send one that is allowed.",
  },
  ip_not_allowed: {
    status: 403,
    title: "The service may not call from this address",
    cause:
      "An admin named the addresses that the service calls from, and this one isn't among them or can't be known for certain.",
    fix: "Call from an address that is listed, or ask an admin to list this one. Behind a proxy, the operator has to name it in TRUST_PROXY.",
  },
  proof_required: {
    status: 403,
    title: "The link must be proved first",
    cause:
      "Nothing may act for this account yet: its owner hasn't proved or confirmed the link to this Access identity, or it wasn't used for 90 days.",
    fix: "Open the Cloudflare Access page in Jira or Confluence, and confirm the link there or link again.",
  },
  consent_required: {
    status: 403,
    title: "The person hasn't agreed to this",
    cause:
      "The person hasn't agreed that the service may act for them, has withdrawn it, or the service may do more now than they agreed to.",
    fix: "The person opens the Cloudflare Access page in Jira or Confluence, and agrees there.",
  },
  token_too_old: {
    status: 403,
    title: "The Access JWT is too old for this",
    cause: "The Access JWT was issued longer ago than this call allows.",
    fix: "Sign out of Access, at /cdn-cgi/access/logout of the team domain, then sign in and try again: a reload alone brings the same token.",
  },
  account_inactive: {
    status: 403,
    title: "This account can't be used",
    cause:
      "The Atlassian account is deactivated, or belongs to an app or a portal customer rather than to a person.",
    fix: "Use an active Atlassian account.",
  },
  scope_not_granted: {
    status: 403,
    title: "The app may not act for people here",
    cause:
      "No admin of the site has agreed yet that the app may act for people, or read, write or delete for them.",
    fix: "Ask a site admin to accept the app's update; where Atlassian offers none, to install it again, if it still lets them.",
  },
  browser_not_allowed: {
    status: 403,
    title: "This can't be opened from here",
    cause:
      "A page of another origin led here, a page of the app was opened outside of Jira or Confluence, or a browser called what only services may call.",
    fix: "Open the Cloudflare Access page inside Jira or Confluence; services call from their own back end.",
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    cause: "The path names nothing, or nothing that you may see.",
    fix: "See openapi.json for the routes.",
  },
  not_linked: {
    status: 404,
    title: "This Access identity isn't linked",
    cause: "The token is good, but its holder has not linked an Atlassian account.",
    fix: "Open the Cloudflare Access page in Jira or Confluence and link, once.",
  },
  method_not_allowed: {
    status: 405,
    title: "This method is not supported here",
    cause: "The path exists, but not with this method.",
    fix: "See the Allow header.",
  },
  request_timeout: {
    status: 408,
    title: "The request took too long to arrive",
    cause: "The sender stopped before the request was complete.",
    fix: "Send it again.",
  },
  already_linked: {
    status: 409,
    title: "This Access identity is linked to another account",
    cause: "In Jira, as in Confluence, one Access identity belongs to one Atlassian account.",
    fix: "Remove the other link first: the linking window shows it to the holder of the Access identity.",
  },
  ambiguous_site: {
    status: 409,
    title: "Jira and Confluence name different accounts",
    cause:
      "The site has the app in both products, and this identity is linked to a different account in each.",
    fix: "Name the product: ?product=jira or ?product=confluence.",
  },
  consent_changed: {
    status: 409,
    title: "What was shown has changed",
    cause:
      "An admin changed what the service may do, or the link is to another e-mail, since it was shown to you. So nothing was agreed to.",
    fix: "Reload the page, read what is there now, and agree or confirm again.",
  },
  version_conflict: {
    status: 409,
    title: "Somebody else changed the settings",
    cause: "The version sent isn't the current one.",
    fix: "Read the settings again, repeat the change, and save.",
  },
  attempt_expired: {
    status: 410,
    title: "This linking attempt is over",
    cause:
      "It is older than five minutes, was used, was begun by somebody else, or had too many wrong codes.",
    fix: "Start again from the Cloudflare Access page in Jira or Confluence.",
  },
  too_large: {
    status: 413,
    title: "The request is too large",
    cause: "A JSON body may have 64 KiB, a form 4 KiB.",
    fix: "Send less.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The body has the wrong type",
    cause: "The Content-Type or Content-Encoding isn't one that this call reads.",
    fix: "Send Content-Type: application/json, in UTF-8, without Content-Encoding.",
  },
  validation_failed: {
    status: 422,
    title: "Something in the request isn't valid",
    cause: "The body can be read, but a value in it can't be used. The errors say which, and why.",
    fix: "Correct the fields that the errors name.",
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    cause:
      "This call was made more often than its limit allows, or too many requests from the same address were refused.",
    fix: "Wait as long as Retry-After says.",
  },
  headers_too_large: {
    status: 431,
    title: "The request's headers are too large",
    cause: "The URL and the headers together may have 16 KiB.",
    fix: "Send less.",
  },
  internal_error: {
    status: 500,
    title: "Something went wrong in the app",
    cause: "A fault of the app's own. The reference finds it in the log.",
    fix: "Tell the operator the reference.",
  },
  upstream_failed: {
    status: 502,
    title: "Jira, Confluence or Access gave no usable answer",
    cause:
      "The product refused the app's own call or answered with an error; or Access didn't say whether the session lasts, where an admin wants it to be asked.",
    fix: "Try again in a minute. If it keeps happening, give the operator the reference.",
  },
  installation_expired: {
    status: 502,
    title: "Atlassian no longer knows this installation",
    cause:
      "Atlassian doesn't accept what the app was given when it was installed: it was uninstalled, or installed again, and the app didn't hear of it.",
    fix: "Ask a site admin to install the app again, if Atlassian still lets them. Links and settings stay.",
  },
  keys_unavailable: {
    status: 503,
    title: "The signing keys can't be fetched",
    cause:
      "The server that publishes the public keys can't be reached, so the token can be neither accepted nor refused.",
    fix: "Try again in a minute. If it keeps happening, check the team domain in the settings.",
  },
  store_unavailable: {
    status: 503,
    title: "The database can't be used right now",
    cause: "The database is locked, full or away. Nothing was changed.",
    fix: "Try again in a minute.",
  },
  upstream_timeout: {
    status: 504,
    title: "Jira, Confluence or Access took too long to answer",
    cause: "Whom the app had to ask didn't answer in time.",
    fix: "Try again in a minute.",
  },
} as const satisfies Record<string, { status: number; title: string; cause: string; fix: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface FieldError {
  /** As a person writes it: `services[0].audience`. */
  readonly field: string;
  readonly detail: string;
  /** The same in parts, where a part may hold a dot or a bracket itself. */
  readonly path?: readonly (string | number)[];
}

interface ProblemExtras {
  /** Where a person links, for `not_linked` and `proof_required`. */
  readonly linkUrl?: string;
  /** Where a person agrees to what a service may do, for `consent_required`. */
  readonly consentUrl?: string;
  readonly errors?: readonly FieldError[];
  readonly retryAfterSeconds?: number;
  readonly allow?: readonly string[];
}

interface AppErrorOptions {
  readonly cause?: unknown;
  /** For the log alone, in our own words: which of the things that the detail lumps together it was. */
  readonly reason?: string;
  readonly extras?: ProblemExtras;
}

/** The one base of all refusals. `message` is the problem's `detail`: a sentence a person can act on. */
export class AppError extends Error {
  readonly code: ProblemCode;
  readonly reason: string | null;
  readonly extras: ProblemExtras;

  constructor(code: ProblemCode, detail?: string, options: AppErrorOptions = {}) {
    super(
      detail ?? `${PROBLEMS[code].cause} ${PROBLEMS[code].fix}`,
      "cause" in options ? { cause: options.cause } : {},
    );
    this.name = new.target.name;
    this.code = code;
    this.reason = options.reason ?? null;
    this.extras = options.extras ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

export class ValidationError extends AppError {
  constructor(errors: readonly FieldError[]) {
    const details = new Set(errors.map(({ detail }) => detail));
    super("validation_failed", [...details].join(" "), { extras: { errors } });
  }

  static of(field: string, detail: string): ValidationError {
    return new ValidationError([{ field, detail }]);
  }
}

export class NotLinkedError extends AppError {
  constructor(linkUrl: string) {
    super("not_linked", undefined, { extras: { linkUrl } });
  }
}

export class RateLimitedError extends AppError {
  constructor(retryAfterSeconds: number) {
    const span = retryAfterSeconds === 1 ? "a second" : `${retryAfterSeconds} seconds`;
    super("rate_limited", `Too many requests. Try again in ${span}.`, { extras: { retryAfterSeconds } });
  }
}

export class NotFoundError extends AppError {
  constructor(detail?: string) {
    super("not_found", detail);
  }
}
