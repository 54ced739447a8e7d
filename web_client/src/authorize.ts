/** Asking the owner: a popup at the daemon's consent page, and its answer by way of our own callback page. */

import { random } from "./base64url.ts";
import { CHANNEL, codeOf, readAnswer } from "./callback.ts";
import type { Answer } from "./callback.ts";
import { AuthorizationError } from "./errors.ts";
import { challengeOf, makeVerifier } from "./pkce.ts";

/** The owner may have to find a terminal first; milliseconds. */
const ANSWER_MS = 600_000;

const WIDTH = 480;
const HEIGHT = 780;

/** What the page asks for. */
export interface Wish {
  readonly base: string;
  readonly scope: string;
  readonly redirectUri: string;
  /** Thumbprint of the key that the code, and all tokens, will be bound to (RFC 9449 section 10). */
  readonly thumbprint: string;
  readonly signal?: AbortSignal | undefined;
}

/** A code with the verifier that redeems it. */
export interface Code {
  readonly code: string;
  readonly verifier: string;
}

/** Return the address of the consent page (RFC 6749 section 4.1.1, RFC 7636 section 4.3). */
export function authorizeUrl(wish: Wish, clientId: string, state: string, challenge: string): string {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: wish.redirectUri,
    scope: wish.scope,
    state,
    code_challenge: challenge,
    code_challenge_method: "S256",
    dpop_jkt: wish.thumbprint,
  });
  return `${wish.base}/oauth/authorize?${query}`;
}

/** The window in which the owner is asked. */
export class Popup {
  readonly #name: string;
  #window: Window;
  #url = "about:blank";

  /**
   * Open it, empty, within the click: browsers let a window open only for a moment after one.
   *
   * @throws AuthorizationError `popup_blocked`
   */
  constructor(name: string) {
    this.#name = name;
    this.#window = this.#open();
  }

  /** Bring it to the front; opened anew where the person has closed it. */
  show(): void {
    // `closed` is also true, wrongly, where the page's opener policy cuts us off; a second window does no harm then.
    if (this.#window.closed) this.#window = this.#open();
    else this.#window.focus();
  }

  /** Close it. */
  close(): void {
    this.#window.close();
  }

  /**
   * Ask, and wait for the answer.
   *
   * @throws AuthorizationError `access_denied`: the owner said no; `authorization_timeout`: nobody answered
   * @throws ConnectionError `invalid_callback`
   */
  async ask(wish: Wish): Promise<Code> {
    const state = random(16);
    const verifier = makeVerifier();
    this.#url = authorizeUrl(wish, location.origin, state, await challengeOf(verifier));
    const answer = answerTo(state, wish.signal);
    this.#window.location.replace(this.#url);
    try {
      return { code: codeOf(await answer, wish.base), verifier };
    } finally {
      this.close();
    }
  }

  #open(): Window {
    const left = Math.round(screenX + Math.max(0, (outerWidth - WIDTH) / 2));
    const top = Math.round(screenY + Math.max(0, (outerHeight - HEIGHT) / 3));
    const opened = window.open(this.#url, this.#name, `popup,width=${WIDTH},height=${HEIGHT},left=${left},top=${top}`);
    if (opened !== null) return opened;
    throw new AuthorizationError("popup_blocked", "the browser blocked the window; call connect() from a click");
  }
}

/** Wait for the answer that carries our state, by whichever of the three ways it comes first. */
async function answerTo(state: string, signal?: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = deferred<Answer>();
  const ended = new AbortController();
  const take = (value: unknown): void => {
    const answer = readAnswer(value);
    if (answer?.state === state) resolve(answer);
  };
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = (event) => take(event.data);
  addEventListener("message", (event) => event.origin === location.origin && take(event.data), {
    signal: ended.signal,
  });
  addEventListener("storage", (event) => event.key === CHANNEL && take(parse(event.newValue)), {
    signal: ended.signal,
  });
  signal?.addEventListener("abort", () => reject(signal.reason), { signal: ended.signal });
  const timer = setTimeout(
    () => reject(new AuthorizationError("authorization_timeout", "nobody answered the question")),
    ANSWER_MS,
  );
  try {
    signal?.throwIfAborted();
    return await promise;
  } finally {
    clearTimeout(timer);
    channel.close();
    ended.abort();
  }
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}

function deferred<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
} {
  let resolve!: (value: Value) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<Value>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}
