/** Keeps one connection alive: finds the daemon, opens a socket, and opens the next one when that ends. */

import type { Access, Pairing } from "./access.ts";
import { backoff } from "./backoff.ts";
import { baseAt, find } from "./daemon.ts";
import { AuthorizationError, ConnectionError, DaemonError, TollbridgeError } from "./errors.ts";
import { isSilent, query } from "./permission.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { afterClose } from "./transport/closing.ts";
import type { Next } from "./transport/closing.ts";
import { Socket, SocketEnded } from "./transport/socket.ts";
import type { BridgeEvent, Cursor, Status } from "./types.ts";

/** A grant has so many sockets and no more: the next attempt is not soon. Milliseconds. */
const SLOWLY_MS = 10_000;

/** Errors that waiting does not cure; all of `AuthorizationError` are such too. */
const FINAL: ReadonlySet<string> = new Set([
  "daemon_unverified",
  "version_mismatch",
  "permission_denied",
  "storage_unavailable",
  "origin_not_approved",
  "origin_mismatch",
  "scope_missing",
  "token_invalid",
  "malformed_request",
  "invalid_params",
]);

/** Errors after which the owner has to be asked again. */
const ASK_AGAIN: ReadonlySet<string> = new Set([
  "daemon_unverified",
  "origin_not_approved",
  "origin_mismatch",
  "token_invalid",
  "invalid_grant",
  "not_paired",
]);

/** Say whether asking the owner again is the way out of `error`. */
export function mustAskAgain(error: unknown): boolean {
  return error instanceof TollbridgeError && ASK_AGAIN.has(error.code);
}

/** Told of every change; `reason` says why, where it is not a success. */
export type OnStatus = (status: Status, reason?: TollbridgeError) => void;

/** The connection of one page. */
export class Link {
  readonly #access: Access;
  readonly #ports: readonly number[];
  readonly #subscriptions: Subscriptions;
  readonly #onStatus: OnStatus;
  #socket: Socket | undefined;
  #base = "";
  /** The last socket was closed because of its token. */
  #refused = false;
  #cursor: Cursor | null = null;
  #life: AbortController | undefined;
  #wake: () => void = () => undefined;

  constructor(access: Access, ports: readonly number[], subscriptions: Subscriptions, onStatus: OnStatus) {
    this.#access = access;
    this.#ports = ports;
    this.#subscriptions = subscriptions;
    this.#onStatus = onStatus;
  }

  /**
   * The open socket.
   *
   * @throws ConnectionError `not_connected`
   */
  get socket(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    throw new ConnectionError("not_connected", "there is no connection now; wait for the status `connected`");
  }

  /** Whether there is an open socket. */
  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** The base of the daemon that has proved itself. */
  get base(): string {
    return this.#base;
  }

  /**
   * Connect, and stay connected until `stop`. Resolves at the first welcome; rejects with the first failure, and goes
   * on by itself where waiting may cure that (the status is `reconnecting` then).
   */
  async start(signal?: AbortSignal): Promise<void> {
    this.#life?.abort();
    const life = new AbortController();
    this.#life = life;
    for (const name of ["online", "focus"]) addEventListener(name, () => this.#wake(), { signal: life.signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake(), { signal: life.signal });
    const giveUp = (): void => this.stop();
    signal?.addEventListener("abort", giveUp);
    this.#onStatus("connecting");
    try {
      await new Promise<void>((resolve, reject) => {
        this.#live(life.signal, resolve, reject).catch((error: unknown) => {
          if (!life.signal.aborted) reportError(error); // a defect of ours: it must not look like a daemon that is away
          reject(error);
        });
      });
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** End it. */
  stop(): void {
    this.#life?.abort();
    this.#life = undefined;
    this.#wake();
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #live(life: AbortSignal, connected: () => void, failed: (fault: TollbridgeError) => void): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const fault = await this.#once(life, () => {
        attempt = 0;
        connected();
      });
      life.throwIfAborted();
      failed(fault); // heard before the first welcome only
      const { next, retryMs } = whatNext(fault);
      if (next === "refresh") this.#access.expire();
      const mayGoOn = next !== "stop" && isSilent(await query());
      life.throwIfAborted();
      if (!mayGoOn) {
        this.stop();
        this.#onStatus("idle", fault);
        return;
      }
      this.#onStatus("reconnecting", fault);
      await this.#sleep(backoff(attempt, Math.random(), Math.max(retryMs, next === "slowly" ? SLOWLY_MS : 0)), life);
    }
  }

  /** Connect once, and return why that came to an end; `welcomed` is called in between. */
  async #once(life: AbortSignal, welcomed: () => void): Promise<TollbridgeError> {
    try {
      const socket = await this.#open(life);
      this.#refused = false;
      this.#onStatus("connected");
      welcomed();
      const fault = new SocketEnded(await socket.closed);
      if (this.#socket === socket) this.#socket = undefined;
      this.#refused = whatNext(fault).next === "refresh";
      return fault;
    } catch (error) {
      life.throwIfAborted();
      if (!(error instanceof TollbridgeError)) throw error;
      return await this.#explain(error);
    }
  }

  async #open(life: AbortSignal): Promise<Socket> {
    const { pairing, pinned } = await this.#paired();
    const ports = [...new Set([pairing.port, ...this.#ports])].filter((port) => this.#ports.includes(port));
    const port = await find({ ports, pinned, signal: life });
    const base = baseAt(port);
    const { ticket } = await this.#access.request(base, { method: "POST", path: "/v1/tickets", signal: life });
    const topics = this.#subscriptions.topics;
    const onEvent = (event: BridgeEvent): void => this.#heard(event);
    const opening = { port, ticket: String(ticket), pinned, after: this.#cursor, topics, onEvent };
    const socket = await Socket.open(opening, life);
    this.#base = base;
    this.#socket = socket;
    this.#cursor ??= socket.cursor;
    for (const topic of this.#subscriptions.topics) if (!topics.includes(topic)) socket.subscribe(topic);
    return socket;
  }

  async #paired(): Promise<{ pairing: Pairing; pinned: NonNullable<Pairing["daemonKey"]> }> {
    const pairing = await this.#access.pairing();
    const pinned = pairing?.daemonKey;
    if (pairing !== undefined && pinned !== undefined) return { pairing, pinned };
    throw new AuthorizationError("not_paired", "the owner has not allowed this page yet");
  }

  /** Say what an error means after what went before. */
  async #explain(error: TollbridgeError): Promise<TollbridgeError> {
    const wasRefused = this.#refused;
    this.#refused = whatNext(error).next === "refresh";
    if (wasRefused && this.#refused) {
      return new AuthorizationError("token_invalid", "the daemon refuses this page's tokens");
    }
    // The daemon drops its key for us with our grant: after a refused token, an unproved hello says that it is over.
    const isOver = error.code === "origin_not_approved" || (wasRefused && error.code === "daemon_unverified");
    if (!isOver) return error;
    await this.#access.drop();
    return new AuthorizationError("invalid_grant", "the owner has disconnected this page", { cause: error });
  }

  #heard(event: BridgeEvent): void {
    this.#cursor = event.id;
    this.#subscriptions.deliver(event);
  }

  async #sleep(milliseconds: number, life: AbortSignal): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    life.throwIfAborted();
  }
}

function whatNext(fault: TollbridgeError): { next: Next; retryMs: number } {
  if (fault instanceof SocketEnded) return { next: afterClose(fault.ending.code).next, retryMs: fault.ending.retryMs };
  const retryMs = fault instanceof DaemonError ? (fault.retryAfter ?? 0) * 1000 : 0;
  return { next: fault instanceof AuthorizationError || FINAL.has(fault.code) ? "stop" : "again", retryMs };
}
