// Puts what tsc made where it is used: the SDK into dist, the daemon's pages into bridge/web, the demo into build/demo.
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const OUT = "build/out";
const WEB = "../bridge/web";
const DEMO = "build/demo";

function place(from, to, isWanted) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (isWanted(name)) cpSync(join(from, name), join(to, name));
}

const isScript = (name) => name.endsWith(".js");
const isAsset = (name) => /\.(css|svg)$/.test(name);
const isDocument = (name) => name.endsWith(".html");

for (const folder of ["dist", WEB, DEMO]) rmSync(folder, { recursive: true, force: true });
cpSync(join(OUT, "src"), "dist", { recursive: true });

cpSync(join(OUT, "src"), join(WEB, "src"), { recursive: true, filter: (name) => !name.endsWith(".d.ts") });
place(join(OUT, "pages"), join(WEB, "pages"), isScript);
place("pages", join(WEB, "pages"), isAsset);
place("pages", WEB, isDocument);

cpSync(join(OUT, "src"), join(DEMO, "src"), { recursive: true, filter: (name) => !name.endsWith(".d.ts") });
place(join(OUT, "pages/demo"), join(DEMO, "pages/demo"), isScript);
place("pages/demo", join(DEMO, "pages/demo"), isAsset);
place("pages/demo", DEMO, isDocument);
