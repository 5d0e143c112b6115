import { runAdminPage } from "../../public/admin/admin-page.js";
import { startPage } from "../../public/page.js";
import { createForgeHost } from "./forge-host.js";

void startPage(createForgeHost, runAdminPage);
