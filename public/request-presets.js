/** @typedef {"jira" | "confluence"} Product */

/**
 * @typedef {object} RequestPattern
 * @property {readonly string[]} methods
 * @property {string} path `*` is one segment, `**` at the end is everything below.
 */

/**
 * @typedef {object} RequestPreset Requests that only make sense together.
 * @property {string} id
 * @property {string} label What an admin ticks.
 * @property {string} words What a person agrees to.
 * @property {readonly RequestPattern[]} requests
 */

/**
 * @typedef {object} RequestWords What some of the requests allow.
 * @property {string} words
 * @property {readonly RequestPattern[]} requests
 */

/** @type {Readonly<Record<Product, readonly RequestPreset[]>>} */
export const REQUEST_PRESETS = {
  jira: [
    {
      id: "read-issues",
      label: "Read issues",
      words: "Read issues and their comments, and search for issues",
      requests: [
        { methods: ["GET"], path: "/rest/api/3/search/jql" },
        { methods: ["GET"], path: "/rest/api/3/issue/*" },
        { methods: ["GET"], path: "/rest/api/3/issue/*/comment" },
      ],
    },
    {
      id: "comment-on-issues",
      label: "Comment on issues",
      words: "Comment on issues",
      requests: [{ methods: ["POST"], path: "/rest/api/3/issue/*/comment" }],
    },
    {
      id: "create-issues",
      label: "Create issues",
      words: "Create issues",
      requests: [{ methods: ["POST"], path: "/rest/api/3/issue" }],
    },
  ],
  confluence: [
    {
      id: "read-pages",
      label: "Read pages",
      words: "Read pages, and search in Confluence",
      requests: [
        { methods: ["GET"], path: "/rest/api/search" },
        { methods: ["GET"], path: "/api/v2/pages" },
        { methods: ["GET"], path: "/api/v2/pages/*" },
      ],
    },
  ],
};

/**
 * Whether all of it is among the requests, word for word.
 *
 * @param {RequestPreset} preset
 * @param {readonly RequestPattern[]} requests
 */
export function hasPreset(preset, requests) {
  const pairs = new Set(listPairs(requests));
  return listPairs(preset.requests).every((pair) => pairs.has(pair));
}

/**
 * All that the lists allow, each path once.
 *
 * @param {...readonly RequestPattern[]} lists
 */
export function joinRequests(...lists) {
  return group(lists.flatMap(listPairs));
}

/**
 * @param {readonly RequestPattern[]} requests
 * @param {readonly RequestPattern[]} others
 */
export function subtractRequests(requests, others) {
  const dropped = new Set(listPairs(others));
  return group(listPairs(requests).filter((pair) => !dropped.has(pair)));
}

/**
 * Whether both allow the same, however it is written.
 *
 * @param {readonly RequestPattern[]} one
 * @param {readonly RequestPattern[]} other
 */
export function isSameRequests(one, other) {
  return listPairs(one).sort().join("\n") === listPairs(other).sort().join("\n");
}

/**
 * What a service's requests allow, in plain words: presets by their words, whatever else there is by its path. Nothing
 * that is allowed goes unsaid.
 *
 * @param {readonly RequestPattern[]} requests
 * @param {Product} product
 * @returns {RequestWords[]}
 */
export function describeRequests(requests, product) {
  const presets = REQUEST_PRESETS[product].filter((preset) => hasPreset(preset, requests));
  const said = new Set(presets.flatMap((preset) => listPairs(preset.requests)));
  const rest = listPairs(requests).filter((pair) => !said.has(pair) && !isHeadOf(pair, said));
  return [
    ...presets.map(({ words, requests: patterns }) => ({ words, requests: patterns })),
    ...group(rest).map((pattern) => ({ words: describePattern(pattern, product), requests: [pattern] })),
  ];
}

/**
 * @param {RequestPattern} pattern
 * @param {Product} product
 */
function describePattern({ methods, path }, product) {
  const name = product === "jira" ? "Jira" : "Confluence";
  const what =
    path === "/**"
      ? `everything in ${name}`
      : path.endsWith("/**")
        ? `everything below ${path.slice(0, -3)}`
        : `what is at ${path}`;
  return `${sayVerbs(methods)} ${what}`;
}

/** @param {readonly string[]} methods */
function sayVerbs(methods) {
  const verbs = [
    ...(methods.some((method) => method === "GET" || method === "HEAD") ? ["read"] : []),
    ...(methods.some((method) => ["POST", "PUT", "PATCH"].includes(method)) ? ["write"] : []),
    ...(methods.includes("DELETE") ? ["delete"] : []),
  ];
  const words = verbs.length > 1 ? `${verbs.slice(0, -1).join(", ")} and ${verbs.at(-1)}` : verbs.join("");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/**
 * One method and one path each, so that it doesn't matter how they are grouped.
 *
 * @param {readonly RequestPattern[]} requests
 */
function listPairs(requests) {
  return [...new Set(requests.flatMap(({ methods, path }) => methods.map((method) => `${method} ${path}`)))];
}

/**
 * HEAD tells less than GET at the same path.
 *
 * @param {string} pair
 * @param {ReadonlySet<string>} said
 */
function isHeadOf(pair, said) {
  return pair.startsWith("HEAD ") && said.has(pair.replace("HEAD", "GET"));
}

/**
 * One pattern for each path, in the order in which they came.
 *
 * @param {readonly string[]} pairs
 * @returns {RequestPattern[]}
 */
function group(pairs) {
  /** @type {Map<string, string[]>} */
  const methodsByPath = new Map();
  for (const pair of new Set(pairs)) {
    const space = pair.indexOf(" ");
    const path = pair.slice(space + 1);
    methodsByPath.set(path, [...(methodsByPath.get(path) ?? []), pair.slice(0, space)]);
  }
  return [...methodsByPath].map(([path, methods]) => ({ methods, path }));
}
