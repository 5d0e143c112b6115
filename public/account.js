import { runAccountPage } from "./account/account-page.js";
import { createConnectHost } from "./connect-host.js";
import { startPage } from "./page.js";

void startPage(createConnectHost, runAccountPage);
