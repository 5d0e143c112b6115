import { runAccountPage } from "./account/account-page.js";
import { createShellHost } from "./connect-host.js";
import { startPage } from "./page.js";

void startPage(createShellHost, runAccountPage);
