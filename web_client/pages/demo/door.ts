/** What stands where the player will be while there is no connection: a table of what to say, and what to do. */

import type { Status, TollbridgeError } from "../../src/index.ts";

/** What the door says; `button` undefined: there is nothing to press. */
export interface Door {
  readonly title: string;
  readonly text: string;
  readonly command?: string;
  readonly button?: string;
  readonly canCancel?: boolean;
}

const CLOSED: Door = {
  title: "Your music, from any tab",
  text: "Play, pause, seek and turn the volume of the player that runs on your computer. You are asked once.",
  button: "Connect",
};

const ASKING: Door = {
  title: "Your answer, please",
  text: "Tollbridge asks in a window of its own whether this page may control your player. Is it hidden?",
  button: "Show the window",
  canCancel: true,
};

const DENIED: Door = {
  title: "You said no",
  text: "This page cannot reach your player, and that is remembered. Changed your mind? You can answer anew.",
  button: "Ask me again",
};

const BY_CODE: Readonly<Record<string, Door>> = {
  daemon_absent: {
    title: "Tollbridge is not running",
    text: "Start it on this computer, then try again.",
    command: "tollbridge run",
    button: "Try again",
  },
  permission_denied: {
    title: "Your browser is in the way",
    text: "It keeps this page from programs on this computer. Allow them in the site settings, beside the address.",
    button: "Try again",
  },
  popup_blocked: {
    title: "The window was blocked",
    text: "Your browser kept the question from opening. Press the button once more.",
    button: "Ask again",
  },
  authorization_timeout: {
    title: "Nobody answered",
    text: "The question has been open for ten minutes.",
    button: "Ask again",
  },
  daemon_unverified: {
    title: "Not the Tollbridge we know",
    text: "What answers cannot prove that it is the one you paired with. If you have reset it, connect again.",
    button: "Connect again",
  },
  invalid_grant: {
    title: "The permission has ended",
    text: "It was taken back on this computer, or its time is over. Connect again whenever you like; you are asked first.",
    button: "Connect",
  },
  version_mismatch: {
    title: "Versions do not match",
    text: "Tollbridge on this computer and this page speak different versions. Update Tollbridge.",
    button: "Try again",
  },
  storage_unavailable: {
    title: "Nothing can be kept",
    text: "Your browser keeps nothing for this page, as in some private windows. Allow it to, and try again.",
    button: "Try again",
  },
};

/** Return what to show where the bridge stands so; undefined where the player itself is to be shown. */
export function doorOf(status: Status, reason: TollbridgeError | undefined): Door | undefined {
  switch (status) {
    case "connected":
      return undefined;
    case "asking":
      return ASKING;
    case "denied":
      return DENIED;
    case "connecting":
      return { title: "Connecting …", text: "Looking for your player." };
    case "reconnecting":
      return {
        title: "Tollbridge is away",
        text: "It is not running, or restarting. This page connects by itself as soon as it is back.",
        command: "tollbridge run",
        button: "Try now",
      };
    default:
      return reason === undefined
        ? CLOSED
        : (BY_CODE[reason.code] ?? { title: "That did not work", text: reason.message, button: "Try again" });
  }
}
