import { runAdminPage } from "./admin/admin-page.js";
import { createConnectHost } from "./connect-host.js";
import { startPage } from "./page.js";

void startPage(createConnectHost, runAdminPage);
