import { z } from "zod";

import { parseNetwork } from "../ip-network.js";
import { parseTeamDomain } from "../team-domain.js";
import { parseAudience } from "./audience.js";
import { parseEmailDomainPattern } from "./email-domain.js";

const text = (maxLength: number) =>
  z
    .string("Must be text.")
    .trim()
    .min(1, "Must not be empty.")
    .max(maxLength, `May have ${maxLength} characters at most.`);

const NO_OBJECT = "Must be an object.";
const NO_LIST = "Must be a list.";

function parsedBy(parse: (text: string) => string | null, explanation: string) {
  return z.string("Must be text.").transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    context.addIssue(explanation);
    return z.NEVER;
  });
}

export const teamDomainField = parsedBy(
  parseTeamDomain,
  "Must be the team domain from Cloudflare, such as acme.cloudflareaccess.com.",
).meta({ description: "Any pasted form is taken; stored as acme.cloudflareaccess.com." });

export const audienceField = parsedBy(
  parseAudience,
  "Must be an AUD tag: 64 characters from 0-9 and a-f.",
).meta({ description: "AUD tag: 64 hex characters, any case." });

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

const pathPattern = text(512)
  // security rule 15: what would have to be normalised is refused.
  .regex(/^\/[^\s\\;?#]*$/u, "Must be a path that starts with / and has no query.")
  // What the gateway refuses in a request would never match. What the line above has complained of is let through here.
  .regex(
    /^[\w.~!$&'()*+,=:@/%\s\\;?#-]*$/,
    "May have the letters A to Z, digits and -._~!$&'()+,=:@ only: nothing else is sent on as it is. * stands for any segment.",
  )
  .refine(
    (path) =>
      path
        .slice(1)
        .split("/")
        .every((segment, index, all) =>
          segment === "**"
            ? index === all.length - 1
            : segment === "*" || /^(?!\.{1,2}$)[^*%]+$/.test(segment),
        ) || path === "/",
    "May have * for one whole segment, and ** at the end; no empty, dot or percent-encoded segments.",
  );

const requestPattern = z.strictObject(
  {
    methods: z
      .array(z.enum(METHODS, `Must be one of ${METHODS.join(", ")}.`), NO_LIST)
      .min(1, "Name a method.")
      .max(6, "6 methods at most."),
    path: pathPattern,
  },
  NO_OBJECT,
);

const limits = z
  .strictObject(
    {
      requests: z.array(requestPattern, NO_LIST).max(100, "100 patterns at most.").default([]),
      maxTokenAgeSeconds: z
        .int("Must be a whole number of seconds.")
        .min(60, "Must be 60 seconds or more.")
        .max(2_678_400, "Must be 31 days (2678400 seconds) or less.")
        .nullable()
        .default(null),
      ipAddresses: z
        .array(parsedBy(parseNetwork, "Must be an IP address or a network such as 203.0.113.0/24."), NO_LIST)
        .max(100, "100 networks at most.")
        .default([]),
      consent: z.enum(["required", "given"], "Must be required or given.").default("required"),
      liveCheckSeconds: z
        .int("Must be a whole number of seconds.")
        .min(10, "Must be 10 seconds or more.")
        .max(3600, "Must be one hour (3600 seconds) or less.")
        .nullable()
        .default(null),
    },
    NO_OBJECT,
  )
  .nullable()
  .default(null);

const service = z.strictObject(
  {
    id: z.string("Must be text.").nullish(),
    label: text(100),
    audience: audienceField,
    purposes: z
      .array(z.enum(["link", "identify", "act", "assert"], "Must be link, identify, act or assert."), NO_LIST)
      .min(1, "Name at least one purpose.")
      .max(4, "4 purposes at most.")
      .transform((purposes) => [...new Set(purposes)]),
    limits,
    paused: z.boolean("Must be true or false.").default(false),
  },
  NO_OBJECT,
);

/** `PUT /api/v1/settings`: the whole document, as people paste it. */
export const settingsDocument = z.strictObject(
  {
    teamDomain: teamDomainField.nullable(),
    services: z.array(service, NO_LIST).max(100, "100 services at most."),
    allowedEmailDomains: z
      .array(
        parsedBy(
          parseEmailDomainPattern,
          "Must be a domain such as acme.com or *.acme.com, and no whole top-level domain.",
        ),
        NO_LIST,
      )
      .max(100, "100 domains at most.")
      .transform((patterns) => [...new Set(patterns)])
      .default([]),
    matching: z.enum(["proof", "email"], "Must be proof or email.").default("proof"),
    paused: z.boolean("Must be true or false.").default(false),
    version: z.int("Must be the version that was read."),
  },
  NO_OBJECT,
);

export type SettingsDocument = z.output<typeof settingsDocument>;
