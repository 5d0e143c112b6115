import { runAccountPage } from "../../public/account/account-page.js";
import { startPage } from "../../public/page.js";
import { createForgeHost } from "./forge-host.js";

void startPage(createForgeHost, runAccountPage);
