import { chromium, type Browser } from "playwright-core";

import { findChromiumBinary } from "./chromium-binary.fixture.js";

/**
 * A headless Chromium, from npm. `CHROMIUM_PATH` names another one, for machines that the npm package isn't made for
 * (it is for Linux on x64).
 */
export async function startChromium(): Promise<Browser> {
  const ownExecutable = process.env["CHROMIUM_PATH"];
  try {
    if (ownExecutable) return await launch(ownExecutable);
    const { executable, fontConfig } = await findChromiumBinary();
    return await launch(executable, { FONTCONFIG_FILE: fontConfig });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Chromium doesn't start (${process.platform} ${process.arch}). The browser tests need Linux on x64 with the libraries ` +
        `nss and nspr, or CHROMIUM_PATH with the path of a Chromium of your own.\n${reason}`,
      { cause: error },
    );
  }
}

async function launch(executablePath: string, env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    // Chromium's own sandbox needs rights that root and containers don't have; the pages it shows here are ours.
    args: ["--no-sandbox", "--no-zygote"],
    env: { ...process.env, ...env },
  });
}
