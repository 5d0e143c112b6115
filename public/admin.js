import { runAdminPage } from "./admin/admin-page.js";
import { createShellHost } from "./connect-host.js";
import { startPage } from "./page.js";

void startPage(createShellHost, runAdminPage);
