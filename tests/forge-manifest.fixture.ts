import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { ProcessorBuilder, ValidationTypes } from "@forge/manifest";
import { z } from "zod";

const MANIFEST_FILE = path.resolve(import.meta.dirname, "../forge/manifest.yml");

export const MANIFEST = readFileSync(MANIFEST_FILE, "utf8");

const token = z.object({ enabled: z.boolean() }).optional();
const page = z.object({
  key: z.string(),
  title: z.string(),
  resource: z.string(),
  resolver: z.object({ endpoint: z.string() }),
});
const job = z.object({ key: z.string(), endpoint: z.string() });

/** What the app relies on. */
const manifest = z.object({
  modules: z
    .object({
      trigger: z.array(job.extend({ events: z.array(z.string()) })),
      scheduledTrigger: z.array(job.extend({ interval: z.string() })),
      preUninstall: z.array(job),
      endpoint: z.array(
        z.object({
          key: z.string(),
          route: z.object({ path: z.string() }).optional(),
          auth: z.object({ appUserToken: token, appSystemToken: token }).optional(),
        }),
      ),
    })
    .catchall(z.array(page)),
  resources: z.array(z.object({ key: z.string(), path: z.string() })),
  remotes: z.array(z.object({ key: z.string(), baseUrl: z.string() })),
  permissions: z.object({
    scopes: z.record(z.string(), z.object({ allowImpersonation: z.boolean().optional() })),
    external: z.json(),
  }),
});

export type Manifest = z.infer<typeof manifest>;
export type Page = z.infer<typeof page>;

export function parseManifest(content: unknown): Manifest {
  return manifest.parse(content);
}

/** Everything that Forge's own schema and linter say, and what they read, with its variables replaced. */
export async function lintManifest(text: string): Promise<{ messages: string[]; content: unknown }> {
  const folder = mkdtempSync(path.join(tmpdir(), "access-forge-manifest-"));
  try {
    // The linter wants to see the pages.
    for (const name of ["admin", "account"]) {
      mkdirSync(path.join(folder, "static", name), { recursive: true });
      writeFileSync(path.join(folder, "static", name, "index.html"), "<!doctype html>");
    }
    const file = path.join(folder, "manifest.yml");
    writeFileSync(file, text);
    const linter = ProcessorBuilder.instance().withValidation(ValidationTypes.FULL).build();
    const { success, errors = [], manifestObject } = await linter.process(file);
    const messages = errors.map(({ level, message }) => `${level}: ${message}`);
    // Warnings let it succeed, and it may fail without a word.
    if (!success && messages.length === 0) messages.push("error: refused without a message");
    return { messages, content: manifestObject?.typedContent };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A manifest with one thing changed, wherever it stands. */
export function changeManifest(from: string | RegExp, to: string): string {
  const changed = MANIFEST.replaceAll(from, () => to);
  if (changed === MANIFEST) throw new Error(`The manifest has no ${String(from)}.`);
  return changed;
}
