/** One WebSocket to the daemon: welcomed, proved, and then calls by number and events as they come. */

import { random } from "../base64url.ts";
import { baseAt } from "../daemon.ts";
import { ConnectionError, DaemonError, TollbridgeError } from "../errors.ts";
import type { PublicJwk } from "../keys.ts";
import { checkProof } from "../proof.ts";
import type { BridgeEvent, Cursor } from "../types.ts";
import { afterClose } from "./closing.ts";
import type { Ending } from "./closing.ts";
import { readFrame } from "./frames.ts";
import type { Incoming, Outgoing } from "./frames.ts";

/** From the upgrade to the welcome; milliseconds. */
const WELCOME_MS = 8_000;

/** A command ends within 10 s unless its app declares more; milliseconds. */
const CALL_MS = 60_000;

/** How often a page asks whether the daemon is still there; two silences in a row end the socket. Milliseconds. */
const PING_MS = 20_000;

/** The daemon takes messages of 64 KiB; the frame around the parameters needs less than the rest. */
const MOST_PARAMS_BYTES = 63 * 1024;

/** What a socket needs. `topics` are heard from `after` on, null: from now. */
export interface Opening {
  readonly port: number;
  readonly ticket: string;
  readonly pinned: PublicJwk;
  readonly after: Cursor | null;
  readonly topics: readonly string[];
  readonly onEvent: (event: BridgeEvent) => void;
}

interface Call {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** An open socket; `closed` resolves once it has ended, and never rejects. */
export class Socket {
  readonly closed: Promise<Ending>;
  /** Where the daemon stood at the welcome. */
  cursor: Cursor | null = null;
  readonly #socket: WebSocket;
  readonly #opening: Opening;
  readonly #nonce = random(24);
  readonly #calls = new Map<number, Call>();
  /** Topics asked for since the welcome, until the daemon has said yes or no to each, in their order. */
  readonly #asked: string[] = [];
  #welcomed!: (frame: Incoming) => void;
  #end!: (ending: Ending) => void;
  #retryMs = 0;
  #count = 0;
  #isQuiet = false;
  #isEnded = false;
  /** What comes between the welcome and the end of its check; undefined once that is done. */
  #early: Incoming[] | undefined = [];

  /**
   * Open a socket and check that the daemon at its other end is the pinned one.
   *
   * @throws ConnectionError `daemon_unverified`
   * @throws SocketEnded it was closed before the welcome
   */
  static async open(opening: Opening, signal?: AbortSignal): Promise<Socket> {
    const socket = new Socket(opening);
    const stop = (): void => socket.close();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      await socket.#welcome();
      signal?.throwIfAborted();
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  private constructor(opening: Opening) {
    this.#opening = opening;
    const url = `${baseAt(opening.port).replace("http", "ws")}/v1/socket`;
    this.#socket = new WebSocket(url, ["tollbridge.v1", `ticket.${opening.ticket}`]);
    this.closed = new Promise((resolve) => (this.#end = resolve));
    this.#socket.onmessage = ({ data }) => this.#hear(readFrame(data));
    this.#socket.onclose = ({ code, reason }) => this.#ended(code, reason);
    // A socket that the page's own policy forbids has an error and no close.
    this.#socket.onerror = () => setTimeout(() => this.#ended(1006, ""), 100);
  }

  /**
   * Run a command and return its result.
   *
   * @throws DaemonError the daemon or the app refused or failed
   * @throws ConnectionError `connection_lost`, `call_timeout`: whether it took effect is not known
   */
  async call(command: string, params: object, signal?: AbortSignal): Promise<unknown> {
    signal?.throwIfAborted();
    if (this.#isEnded) throw lost();
    const id = ++this.#count;
    checkSize(command, params);
    let giveUp: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#calls.set(id, { resolve, reject });
        giveUp = () => {
          this.#say({ type: "cancel", id });
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", giveUp);
        timer = setTimeout(() => reject(new ConnectionError("call_timeout", `${command} did not end`)), CALL_MS);
        this.#say({ type: "call", id, command, params });
      });
    } finally {
      clearTimeout(timer);
      if (giveUp !== undefined) signal?.removeEventListener("abort", giveUp);
      this.#calls.delete(id);
    }
  }

  /** Hear `topic` too, from now on. */
  subscribe(topic: string): void {
    if (this.#say({ type: "subscribe", topics: [topic] })) this.#asked.push(topic);
  }

  /** Hear `topic` no more. */
  unsubscribe(topic: string): void {
    this.#say({ type: "unsubscribe", topics: [topic] });
  }

  /** Close it. */
  close(): void {
    this.#socket.close(1000);
    this.#ended(1000, "closed by the page");
  }

  async #welcome(): Promise<void> {
    const { after, topics, pinned, port } = this.#opening;
    const welcome = new Promise<Incoming>((resolve) => (this.#welcomed = resolve));
    this.#socket.onopen = () => this.#say({ type: "hello", nonce: this.#nonce, after, topics });
    const timer = setTimeout(() => this.#ended(1006, "no welcome"), WELCOME_MS);
    try {
      const first = await Promise.race([welcome, this.closed.then(endedEarly)]);
      if (first.type === "error") throw first.error;
      if (first.type !== "welcome") throw new ConnectionError("bad_answer", "the daemon's first frame is no welcome");
      const expected = { nonce: this.#nonce, origin: location.origin, port, purpose: "socket" as const };
      await checkProof(first.proof, pinned, expected);
      this.cursor = first.cursor;
    } finally {
      clearTimeout(timer);
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const frame of early) this.#hear(frame);
    const beat = setInterval(() => this.#ping(), PING_MS);
    void this.closed.then(() => clearInterval(beat));
  }

  #hear(frame: Incoming): void {
    this.#isQuiet = false;
    this.#welcomed(frame); // only the first one counts
    if (this.#early !== undefined) {
      if (frame.type !== "welcome") this.#early.push(frame); // at most what one welcome's deadline lets through
      return;
    }
    switch (frame.type) {
      case "reply":
        if (frame.error === undefined) this.#calls.get(frame.id)?.resolve(frame.result);
        else this.#calls.get(frame.id)?.reject(frame.error);
        break;
      case "event":
        this.#opening.onEvent(frame.event);
        break;
      case "closing":
        this.#retryMs = frame.retryMs;
        break;
      case "subscribed":
        this.#asked.shift();
        break;
      case "error":
        this.#report(frame.error); // belongs to no call: a topic that the grant does not cover, for one
        break;
      default:
    }
  }

  /** Tell the console, with the topic that it is about: the daemon repeats nothing of what it was sent. */
  #report(error: DaemonError): void {
    const place = /^\$\.topics\[(\d+)\]$/.exec(error.path ?? "");
    const topic = this.#asked.shift() ?? (place === null ? undefined : this.#opening.topics[Number(place[1])]);
    if (topic !== undefined) error.message = `${topic}: ${error.message}`;
    reportError(error);
  }

  #ping(): void {
    if (this.#isQuiet) {
      this.#socket.close(1000);
      this.#ended(1006, "the daemon is silent");
      return;
    }
    this.#isQuiet = true;
    this.#say({ type: "ping", t: Date.now() });
  }

  #say(frame: Outgoing): boolean {
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    if (isOpen) this.#socket.send(JSON.stringify(frame));
    return isOpen;
  }

  #ended(code: number, reason: string): void {
    this.#isEnded = true;
    this.#end({ code, reason, retryMs: this.#retryMs }); // only the first one counts
    for (const call of this.#calls.values()) call.reject(lost());
    this.#calls.clear();
  }
}

/** A socket that was closed before its welcome. */
export class SocketEnded extends TollbridgeError {
  override readonly name = "SocketEnded";
  readonly ending: Ending;

  constructor(ending: Ending) {
    super(afterClose(ending.code).error, ending.reason || "the connection was closed");
    this.ending = ending;
  }
}

function lost(): ConnectionError {
  return new ConnectionError("connection_lost", "the connection ended; whether the call took effect is not known");
}

function endedEarly(ending: Ending): never {
  throw new SocketEnded(ending);
}

/**
 * A message that is too long would end the socket, and every call under way with it.
 *
 * @throws DaemonError `body_too_large`, as the daemon says it over HTTP
 */
function checkSize(command: string, params: object): void {
  const bytes = new TextEncoder().encode(JSON.stringify(params)).length;
  if (bytes <= MOST_PARAMS_BYTES) return;
  const detail = `the parameters of ${command} hold ${bytes} bytes, at most ${MOST_PARAMS_BYTES} may be sent`;
  throw new DaemonError({ title: "The body is too large", status: 413, code: "body_too_large", detail });
}
