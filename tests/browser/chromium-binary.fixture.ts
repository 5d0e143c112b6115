import { execFile } from "node:child_process";
import { access, lstat, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface ChromiumBinary {
  readonly executable: string;
  readonly fontConfig: string;
}

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
/** A folder that lacks one of these was cleaned up half, as systemd does with old temporary files. */
const PARTS = ["chromium", "libGLESv2.so", "fonts/fonts/Open_Sans/OpenSans-Regular.ttf", "fonts.conf"];

/** Unpacked once for each user and version; any number of processes may ask at once. */
export async function findChromiumBinary(): Promise<ChromiumBinary> {
  const home = path.join(tmpdir(), `access-tests-chromium-${userInfo().username}`);
  await mkdir(home, { mode: 0o700 }).catch(ignore("EEXIST"));
  await requireOurs(home);
  const folder = await findUsableFolder(path.join(home, await readPackageVersion()));
  if (!(await isComplete(folder))) await unpackInto(folder, home);
  return { executable: path.join(folder, "chromium"), fontConfig: path.join(folder, "fonts.conf") };
}

/** A damaged folder is passed over, never repaired: a browser may still be running in it. */
async function findUsableFolder(name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const folder = `${name}-${number}`;
    if ((await isComplete(folder)) || !(await exists(folder))) return folder;
  }
}

/** Only a finished folder gets the name that others look for; the first one there keeps it. */
async function unpackInto(folder: string, home: string): Promise<void> {
  const draft = await mkdtemp(path.join(home, "unpacking-"));
  try {
    await unpack(draft);
    await writeFile(path.join(draft, "fonts.conf"), createFontConfig(folder));
    await rename(draft, folder).catch(ignore("ENOTEMPTY", "EEXIST"));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** In a process of its own: the package takes the temporary folder of its process for its own. */
async function unpack(folder: string): Promise<void> {
  const script = `import chromium from "@sparticuz/chromium"; await chromium.executablePath();`;
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: REPOSITORY,
    env: { ...process.env, TMPDIR: folder, NODE_OPTIONS: "" },
  });
}

/** The package's own font comes first, so that screenshots look the same on every machine that makes them. */
function createFontConfig(folder: string): string {
  const prefer = [
    ["sans-serif", "Open Sans"],
    ["system-ui", "Open Sans"],
    ["monospace", "DejaVu Sans Mono"],
  ].map(
    ([family, font]) =>
      `<alias binding="same"><family>${family}</family><prefer><family>${font}</family></prefer></alias>`,
  );
  return [
    `<?xml version="1.0"?>`,
    `<!DOCTYPE fontconfig SYSTEM "fonts.dtd">`,
    `<fontconfig>`,
    `<dir>${folder}/fonts</dir>`,
    `<dir>/usr/share/fonts</dir>`,
    `<cachedir>${folder}/fonts-cache</cachedir>`,
    ...prefer,
    `</fontconfig>`,
    "",
  ].join("\n");
}

async function isComplete(folder: string): Promise<boolean> {
  const found = await Promise.all(PARTS.map((part) => exists(path.join(folder, part))));
  return found.every(Boolean);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** In a folder that everybody may write to, somebody else may have been there first. */
async function requireOurs(folder: string): Promise<void> {
  const stats = await lstat(folder);
  if (!stats.isDirectory() || stats.uid !== userInfo().uid || (stats.mode & 0o022) !== 0) {
    throw new Error(
      `${folder} belongs to somebody else, or others may write to it. Remove it and try again.`,
    );
  }
}

async function readPackageVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const manifest = await readFile(path.join(entry.replace(/\/build\/.*$/, ""), "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function ignore(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}
