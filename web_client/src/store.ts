/** A few named values in IndexedDB: the only storage that can hold a key whose private half no script can read. */

import { TollbridgeError } from "./errors.ts";

const TABLE = "values";

/** Names and values of one page; shared by its tabs. */
export class Store {
  readonly #name: string;
  #database: Promise<IDBDatabase> | undefined;

  /** @param name the database's name; two bridges on one origin take two names */
  constructor(name: string) {
    this.#name = name;
  }

  /** The name, which the locks around this store's values carry too. */
  get name(): string {
    return this.#name;
  }

  /**
   * Return a value, undefined where there is none.
   *
   * @throws TollbridgeError `storage_unavailable`: the browser keeps nothing for this page
   */
  async get<Value>(name: string): Promise<Value | undefined> {
    return (await this.#run("readonly", (table) => table.get(name))) as Value | undefined;
  }

  /** Keep a value; it is durable when this resolves. */
  async put(name: string, value: unknown): Promise<void> {
    await this.#run("readwrite", (table) => table.put(value, name));
  }

  /** Drop a value. */
  async delete(name: string): Promise<void> {
    await this.#run("readwrite", (table) => table.delete(name));
  }

  async #run(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest): Promise<unknown> {
    try {
      this.#database ??= open(this.#name, () => (this.#database = undefined));
      const transaction = (await this.#database).transaction(TABLE, mode);
      const request = work(transaction.objectStore(TABLE));
      await new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      });
      return request.result;
    } catch (error) {
      this.#database = undefined;
      throw new TollbridgeError("storage_unavailable", "this browser keeps nothing for the page", { cause: error });
    }
  }
}

async function open(name: string, gone: () => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  return await new Promise((resolve, reject) => {
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => {
      // Another tab may delete or upgrade the database; an open connection would block it for ever.
      request.result.onversionchange = () => {
        request.result.close();
        gone();
      };
      // The browser was told to forget this site, as `tollbridge open` has it do with our own pages.
      request.result.onclose = gone;
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error("the database cannot be opened"));
  });
}
