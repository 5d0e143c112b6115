/**
 * Ways in (web, cli) → what it does (tenants, links, services, consents, gateway, assertions, audit) ← outside worlds
 * (access, connect, forge, products, signing, storage).
 * Only context.ts knows every part. See docs/ARCHITECTURE.md.
 */
const KERNEL_FILES = [
  "bounded-fetch",
  "clock",
  "compact-jws",
  "errors",
  "expiring-cache",
  "field-errors",
  "identifiers",
  "ip-network",
  "logger",
  "parse-json",
  "rate-limit",
  "single-flight",
  "stores",
  "strict-json",
  "team-domain",
];
const KERNEL = `^src/(${KERNEL_FILES.join("|")})\\.ts$`;
const CORE = "^src/(tenants|links|services|consents|gateway|assertions|audit)/";
const WORLDS = "^src/(access|connect|forge|products|signing|storage)/";
// What two of the worlds need: keys that somebody publishes at a URL.
const REMOTE_KEYS = "^src/remote-keys/";
const TEST = "\\.(test|fixture)\\.ts$";

const onlyIn = (library, folders) => ({
  name: `${library.name}-only-in-its-folder`,
  severity: "error",
  comment: `One library, one folder: ${library.name} belongs to ${folders}.`,
  from: { path: "^src/", pathNot: [folders, TEST] },
  to: { path: library.path },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "kernel-imports-nothing-of-the-parts",
      severity: "error",
      comment:
        "stores.ts names the stores' interfaces, which the core declares; nothing else in the kernel looks up.",
      from: { path: KERNEL, pathNot: "^src/stores\\.ts$" },
      to: { path: "^src/", pathNot: KERNEL },
    },
    {
      name: "core-knows-only-itself",
      severity: "error",
      from: { path: CORE, pathNot: TEST },
      to: { path: "^src/", pathNot: [CORE, KERNEL] },
    },
    {
      name: "core-uses-no-library-of-the-edges",
      severity: "error",
      from: { path: CORE, pathNot: TEST },
      to: {
        path: "node_modules/(express|sequelize|sqlite3|umzug|jose|undici|atlassian-|hbs|helmet|pino|prom-client)",
      },
    },
    {
      name: "worlds-import-core-types-and-kernel-only",
      severity: "error",
      from: { path: WORLDS, pathNot: TEST },
      to: { path: "^src/", pathNot: [CORE, KERNEL, WORLDS, REMOTE_KEYS] },
    },
    {
      name: "remote-keys-import-the-kernel-only",
      severity: "error",
      from: { path: REMOTE_KEYS, pathNot: TEST },
      to: { path: "^src/", pathNot: [REMOTE_KEYS, KERNEL] },
    },
    {
      name: "worlds-do-not-know-each-other",
      severity: "error",
      from: { path: WORLDS, pathNot: TEST },
      to: { path: WORLDS, pathNot: "^src/$1/" },
    },
    {
      name: "entrances-reach-worlds-only-through-the-context",
      severity: "error",
      from: { path: "^src/web/", pathNot: TEST },
      to: { path: [WORLDS, REMOTE_KEYS, "^src/context\\.ts$", "^src/cli/"] },
    },
    {
      name: "config-stands-alone",
      severity: "error",
      comment: "It may use the kernel's small parsers; it knows none of the parts that it configures.",
      from: { path: "^src/config/", pathNot: TEST },
      to: { path: "^src/", pathNot: ["^src/config/", KERNEL] },
    },
    {
      name: "app-does-not-join-parts",
      severity: "error",
      from: { path: "^src/(app|app-context)\\.ts$" },
      to: { path: WORLDS, dependencyTypesNot: ["type-only"] },
    },
    onlyIn({ name: "jose", path: "node_modules/jose/" }, "^src/(access|connect|forge|remote-keys|signing)/"),
    onlyIn(
      { name: "sequelize-and-sqlite", path: "node_modules/(sequelize|sqlite3|umzug)/" },
      "^src/storage/",
    ),
    onlyIn({ name: "undici", path: "node_modules/undici/" }, "^src/products/"),
    onlyIn({ name: "atlassian", path: "node_modules/atlassian-" }, "^src/connect/"),
    onlyIn(
      { name: "express", path: "node_modules/(@types/)?(express|hbs|helmet)/" },
      "^src/(web/|app\\.ts|connect/ace)",
    ),
    {
      name: "pages-do-not-know-their-host",
      severity: "error",
      comment:
        "One small module per host; the entries choose it, and everything else can be shown by another host.",
      from: { path: "^public/", pathNot: ["^public/(admin|account|refusal)\\.js$", TEST] },
      to: { path: "^public/connect-host\\.js$" },
    },
    {
      name: "pages-share-only-types-with-the-app",
      severity: "error",
      from: { path: "^public/.*\\.js$", pathNot: TEST },
      to: { path: "^(src|sandbox|tests)/|node_modules" },
    },
    {
      name: "forge-shows-the-pages",
      severity: "error",
      comment: "What Forge serves is made of public/, and of one module that knows Forge.",
      from: { path: "^forge/" },
      to: { path: ["^(src|sandbox|bench|tests|examples)/", "^public/connect-host\\.js$"] },
    },
    {
      name: "nothing-of-the-app-imports-forge",
      severity: "error",
      from: { path: "^(src|public)/", pathNot: TEST },
      to: { path: "^forge/" },
    },
    {
      name: "bridge-only-in-its-host",
      severity: "error",
      from: { path: ".", pathNot: ["^forge/pages/forge-host\\.js$", "node_modules/"] },
      to: { path: "node_modules/@forge/bridge/" },
    },
    {
      name: "nothing-imports-the-sandbox",
      severity: "error",
      from: { path: "^src/", pathNot: TEST },
      to: { path: "^(sandbox|tests)/" },
    },
    {
      name: "examples-stand-alone",
      severity: "error",
      comment: "Each is to be copied as one file.",
      from: { path: "^examples/" },
      to: { path: "^(src|public|sandbox|tests|examples)/" },
    },
    {
      name: "no-dev-dependency-in-src",
      severity: "error",
      from: { path: "^src/", pathNot: TEST },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
