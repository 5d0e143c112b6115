import { silentLogger } from "../logger.js";
import { createDatabaseFile } from "./database-file.js";
import { migrate, MIGRATIONS } from "./migrate.js";
import { connect, switchToWriteAheadLog } from "./sqlite-connection.js";
import { Writer } from "./writer.js";

// Begins to migrate the file that is named on the command line, and is gone in the middle.
const [file = ""] = process.argv.slice(2);
const connection = { file, busyTimeoutMilliseconds: 1_000, foreignKeys: false, tries: 2 };
createDatabaseFile(file);
await switchToWriteAheadLog(connection);
const writer = new Writer({
  logger: silentLogger,
  queueTimeoutMilliseconds: 1_000,
  connect: () => connect(connection),
});
await writer.transact((session) =>
  migrate(session, [
    ...MIGRATIONS,
    {
      name: "0002-killed",
      up: async (queries) => {
        await queries.dropTable("spent_tokens");
        process.kill(process.pid, "SIGKILL");
        await new Promise(() => undefined);
      },
    },
  ]),
);
