/** As much of Node's own modules as the tests use; their full types would be a dependency for a few functions. */

declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
  export function equal(actual: unknown, expected: unknown, message?: string): void;
  export function deepEqual(actual: unknown, expected: unknown, message?: string): void;
  export function match(actual: string, pattern: RegExp): void;
  export function ok(value: unknown, message?: string): asserts value;
  export function rejects(promise: Promise<unknown>, expected: object): Promise<void>;
  export function throws(run: () => unknown, expected: object): void;
}

declare module "node:fs" {
  export function readFileSync(file: URL, encoding: "utf8"): string;
}
