import { reportCallback } from "/sdk/callback.js";

reportCallback();
