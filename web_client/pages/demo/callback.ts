/** The callback page: all it ever does. */

import { reportCallback } from "../../src/index.ts";

reportCallback();
