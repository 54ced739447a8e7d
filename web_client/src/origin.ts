/** Which pages an owner can approve at all: the daemon's rule for `Origin`, as far as a browser writes such origins. */

const HOST = String.raw`https://[\w-]{1,63}(?:\.[\w-]{1,63})*|http://localhost|http://127\.0\.0\.1`;
const APPROVABLE = new RegExp(`^(?:${HOST})(?::[1-9]\\d*)?$`);

/** Say whether a page of `origin` (as in `location.origin`) can be approved: https, or this computer's http. */
export const canBeApproved = (origin: string): boolean => APPROVABLE.test(origin);
