/** What a page talks to: one object that asks, connects, calls and listens. */

import { Access } from "./access.ts";
import { Popup } from "./authorize.ts";
import { baseAt, find, PORTS } from "./daemon.ts";
import { AuthorizationError, ConnectionError, TollbridgeError } from "./errors.ts";
import { dropKeyIn, keyIn } from "./keys.ts";
import { Link, mustAskAgain } from "./link.ts";
import { isSilent, query, reach } from "./permission.ts";
import { Listeners, until } from "./listeners.ts";
import { canBeApproved } from "./origin.ts";
import { Store } from "./store.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { BridgeEvent, Gap, Snapshot, Status } from "./types.ts";

/** What a page asks for, and where. */
export interface Options {
  /** Scopes, separated by spaces: `"player:read player:control"`. */
  readonly scope: string;
  /** A page of this origin that calls `reportCallback()` and does nothing else. */
  readonly redirectUri: string | URL;
  /** Where to look for the daemon, in this order; default 4380, 4381, 4382. */
  readonly ports?: readonly number[];
  /** Name of the IndexedDB database; two bridges on one origin take two names. Default `tollbridge`. */
  readonly storageKey?: string;
}

/** A wait, or a subscription, that ends with `signal`, where one is given. */
export interface Until {
  readonly signal?: AbortSignal;
}

/**
 * The bridge to native software on the visitor's computer.
 *
 *     const bridge = new Tollbridge({ scope: "player:read player:control", redirectUri: "/callback.html" });
 *     bridge.on("player", (event) => show(event));
 *     if (!(await bridge.resume())) button.onclick = () => bridge.connect();
 *     await bridge.call("player.pause");
 *
 * Events that were missed during a short loss of the connection are delivered afterwards, in order and once. Where that
 * is not possible a gap is said: hear it with `onGap` and read the state again.
 */
export class Tollbridge {
  readonly #options: Options;
  readonly #ports: readonly number[];
  readonly #store: Store;
  readonly #access: Access;
  readonly #subscriptions: Subscriptions;
  readonly #link: Link;
  readonly #listeners = new Listeners<[Status, TollbridgeError | undefined]>();
  #status: Status = "idle";
  #reason: TollbridgeError | undefined;
  #isPaired = false;
  #popup: Popup | undefined;
  #connecting: Promise<void> | undefined;
  #attempt = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    this.#ports = options.ports ?? PORTS;
    this.#store = new Store(options.storageKey ?? "tollbridge");
    this.#access = new Access(this.#store);
    this.#subscriptions = new Subscriptions(
      (topic) => this.#link.isConnected && this.#link.socket.subscribe(topic),
      (topic) => this.#link.isConnected && this.#link.socket.unsubscribe(topic),
    );
    this.#link = new Link(this.#access, this.#ports, this.#subscriptions, (status, reason) =>
      this.#set(status, reason),
    );
  }

  /** Where the bridge stands now. */
  get status(): Status {
    return this.#status;
  }

  /** Why it stands there, where that is not a success; its `code` is stable. */
  get reason(): TollbridgeError | undefined {
    return this.#reason;
  }

  /** Hear of every change of `status`; returns the function that ends it. */
  onStatus(listener: (status: Status, reason?: TollbridgeError) => void, { signal }: Until = {}): () => void {
    return until(signal, this.#listeners.add(listener));
  }

  /**
   * Connect on page load, silently, if the owner has allowed this page before. Asks nobody, and touches no network
   * where the browser would ask.
   *
   * @returns true once connected; false where `connect()` from a click is needed, or where the daemon is not there now
   *   (the status is then `reconnecting`, and it goes on by itself)
   */
  async resume(): Promise<boolean> {
    if (this.#link.isConnected) return true;
    this.#isPaired = (await this.#access.pairing()) !== undefined;
    if (!this.#isPaired || !isSilent(await query()) || this.#connecting !== undefined) return false;
    return await this.#shared(() => this.#link.start()).then(
      () => true,
      () => false,
    );
  }

  /**
   * Connect, asking the owner where needed. Call it from a click, with nothing awaited before: it opens a window.
   * Called again while it runs it returns the same promise, and shows that window again.
   *
   * @throws AuthorizationError `access_denied`, `popup_blocked`, `authorization_timeout`, `origin_malformed`, ...
   * @throws ConnectionError `daemon_absent`, `permission_denied`, ...
   */
  connect({ signal }: Until = {}): Promise<void> {
    if (this.#link.isConnected) return Promise.resolve();
    if (this.#connecting !== undefined) {
      this.#popup?.show();
      return this.#connecting;
    }
    try {
      if (!this.#isPaired) this.#popup = this.#openPopup();
    } catch (error) {
      return Promise.reject(error);
    }
    this.#attempt = new AbortController();
    const both = [this.#attempt.signal, ...(signal === undefined ? [] : [signal])];
    return this.#shared(() => this.#connect(AbortSignal.any(both)));
  }

  /**
   * Run a command, `"player.pause"`, and return its result.
   *
   * @throws DaemonError the daemon or the app refused or failed; `code` says how
   * @throws ConnectionError `not_connected`: not sent. `connection_lost`, `call_timeout`: it may have taken effect
   */
  async call<Result = unknown>(command: string, params: object = {}, { signal }: Until = {}): Promise<Result> {
    return (await this.#link.socket.call(command, params, signal)) as Result;
  }

  /**
   * Read an app's state, `"player"`, and the cursor at which it was true.
   *
   * @throws DaemonError, ConnectionError as `call`
   */
  async state<State = unknown>(app: string, { signal }: Until = {}): Promise<Snapshot<State>> {
    if (!this.#link.isConnected) throw new ConnectionError("not_connected", "there is no connection now");
    const path = `/v1/apps/${encodeURIComponent(app)}/state`;
    const { cursor, state } = await this.#access.request(this.#link.base, { method: "GET", path, signal });
    return { cursor: String(cursor), state: state as State };
  }

  /** Hear the events of a topic, now and after every reconnection; returns the function that ends it. */
  on<Data = unknown>(topic: string, handler: (event: BridgeEvent<Data>) => void, { signal }: Until = {}): () => void {
    return until(
      signal,
      this.#subscriptions.add(topic, (event) => handler(event as BridgeEvent<Data>)),
    );
  }

  /** Hear of events that were lost: read the states again; returns the function that ends it. */
  onGap(handler: (gap: Gap) => void, { signal }: Until = {}): () => void {
    return until(signal, this.#subscriptions.gaps.add(handler));
  }

  /** Close the connection; the pairing stays, and `resume()` or `connect()` uses it without asking. */
  disconnect(): void {
    this.#attempt.abort();
    this.#link.stop();
    this.#set("closed");
  }

  /**
   * Close the connection, give this page's tokens back, and drop its key: the owner is asked again next time. What else
   * the owner has allowed this site is theirs to take back.
   */
  async forget(): Promise<void> {
    const { base } = this.#link;
    this.disconnect();
    this.#isPaired = false;
    await this.#access.giveBack(base);
    await dropKeyIn(this.#store);
  }

  /** Run one attempt; all who ask meanwhile share it. */
  #shared(attempt: () => Promise<void>): Promise<void> {
    this.#connecting = attempt().finally(() => {
      this.#connecting = undefined;
      this.#popup?.close();
      this.#popup = undefined;
    });
    return this.#connecting;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    try {
      if (await this.#resumed(signal)) return;
      await this.#pair((this.#popup ??= this.#openPopup()), signal);
      await this.#link.start(signal);
    } catch (error) {
      if (this.#status === "asking" || this.#status === "connecting") this.#failed(error);
      throw error;
    }
  }

  /** Connect with the pairing there is; false where the owner has to be asked. */
  async #resumed(signal: AbortSignal): Promise<boolean> {
    if ((await this.#access.pairing()) === undefined) return false;
    try {
      await this.#link.start(signal);
      return true;
    } catch (error) {
      if (!mustAskAgain(error)) throw error;
      this.#isPaired = false; // where the window cannot open any more, the next click opens it first
      return false;
    }
  }

  async #pair(popup: Popup, signal: AbortSignal): Promise<void> {
    this.#set("asking");
    const permission = await query();
    // Where the browser would ask, its question comes after the owner's answer, when it makes sense to the person.
    const asks = permission === "prompt";
    const ports = this.#ports;
    const port = asks ? (ports[0] ?? PORTS[0] ?? 0) : await find({ ports, signal });
    const base = baseAt(port);
    const key = await keyIn(this.#store);
    const redirectUri = new URL(this.#options.redirectUri, document.baseURI).href;
    const wish = { base, scope: this.#options.scope, redirectUri, thumbprint: key.thumbprint, signal };
    const { code, verifier } = await popup.ask(wish);
    this.#set("connecting");
    const fields = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirectUri };
    const tokens = await reach((deadlineMs) => this.#access.ask(base, key, fields, deadlineMs));
    await this.#access.keep(tokens, port);
    this.#isPaired = true;
  }

  #openPopup(): Popup {
    if (!canBeApproved(location.origin)) {
      const detail = "no page of this origin can be approved: serve it over https, or from localhost, unsandboxed";
      throw new AuthorizationError("origin_malformed", detail);
    }
    return new Popup(this.#store.name);
  }

  #failed(error: unknown): void {
    const reason = error instanceof TollbridgeError ? error : undefined;
    this.#set(reason instanceof AuthorizationError && reason.code === "access_denied" ? "denied" : "idle", reason);
  }

  #set(status: Status, reason?: TollbridgeError): void {
    this.#status = status;
    this.#reason = reason;
    this.#listeners.tell(status, reason);
  }
}
