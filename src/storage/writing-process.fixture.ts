import { writeSync } from "node:fs";

import { systemClock } from "../clock.js";
import { silentLogger } from "../logger.js";
import { openDatabase } from "./open-database.js";

// Writes rows one by one into the file that is named on the command line, and prints each when it was acknowledged.
const [file = "", prefix = "", count = "0"] = process.argv.slice(2);
const database = await openDatabase({
  file,
  encryptionKeys: [Buffer.alloc(32, 1)],
  clock: systemClock,
  logger: silentLogger,
});
for (let index = 0; index < Number(count); index++) {
  const name = `${prefix}-${index}`;
  await database.write((stores) => stores.tokens.bind(name, "use", new Date()));
  // Not buffered, so that what was printed was printed before the process was killed.
  writeSync(1, `${name}\n`);
}
await database.close();
